import { mkdtempSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo, LookupFunction } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { type OutsideFetch, openOutsideFetch } from '../../src/app/outside-fetch.ts'
import { fetchWithTrust } from '../../src/http/fetch-with-trust.ts'
import { selfSignedCertificate } from '../world/certificate.ts'

let server: Server
let port = 0
let redirect = '/'
let outside: OutsideFetch | undefined
beforeEach(async () => {
  server = createServer((request, response) => {
    if (request.url === '/redirect') response.writeHead(302, { location: redirect }).end()
    else response.end(`${request.method} ${request.url}`)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port // it listens on a port
})
afterEach(async () => {
  await outside?.close()
  await new Promise((resolve) => server.close(resolve))
})

/** A name server that answers with these addresses in turn, and how often it was asked. */
function names(...answers: readonly (readonly string[])[]) {
  const asked: string[] = []
  const lookup: LookupFunction = (name, _, callback) => {
    const addresses = answers[asked.length] ?? answers.at(-1) ?? []
    asked.push(name)
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    )
  }
  outside = openOutsideFetch({ lookup })
  return { asked, fetch: outside.fetch }
}

const code = (promise: Promise<unknown>) =>
  promise.then(
    () => 'answered',
    (error: { cause?: { code?: string } }) => error.cause?.code,
  )

test('a name is reached at the address it resolves to', async () => {
  const { fetch, asked } = names(['127.0.0.1'])
  expect(await (await fetch(`http://issuer.example:${port}/keys`)).text()).toBe('GET /keys')
  const request = new Request(`http://issuer.example:${port}/token`, { method: 'POST', body: 'x' })
  expect(await (await fetch(request)).text()).toBe('POST /token')
  expect(asked).toContain('issuer.example')
})

test('a name that resolves to where clouds keep their secrets is not', async () => {
  const { fetch } = names(['169.254.169.254'])
  expect(await code(fetch('http://issuer.example/keys'))).toBe('EFORBIDDEN')
  expect(await code(fetch('https://issuer.example/keys'))).toBe('EFORBIDDEN')
})

test('of several addresses the forbidden ones are left out', async () => {
  const { fetch } = names(['169.254.169.254', '127.0.0.1', 'fe80::1'])
  expect((await fetch(`http://issuer.example:${port}/keys`)).status).toBe(200)
})

test('the address that was judged is the one connected to: each connection resolves once', async () => {
  const { fetch, asked } = names(['127.0.0.1'], ['169.254.169.254'])
  expect((await fetch(`http://issuer.example:${port}/keys`)).status).toBe(200)
  expect(asked).toEqual(['issuer.example'])
  expect(await code(fetch('http://issuer.example:65432/keys'))).toBe('EFORBIDDEN')
})

test.each(['http://169.254.169.254/latest/meta-data', 'http://[fe80::1]/', 'http://0xa9fea9fe/'])(
  'an address as written is judged too: %s',
  async (url) => {
    const { fetch, asked } = names(['127.0.0.1'])
    expect(await code(fetch(url))).toBe('EFORBIDDEN')
    expect(asked).toEqual([])
  },
)

test('and so is where a redirect leads', async () => {
  const { fetch } = names(['127.0.0.1'])
  redirect = 'http://169.254.169.254/latest/meta-data'
  expect(await code(fetch(`http://issuer.example:${port}/redirect`))).toBe('EFORBIDDEN')
})

test('Google’s metadata server hears the one question of our own, and no other', async () => {
  const { fetch } = names(['127.0.0.1'])
  const asked: unknown[] = []
  vi.stubGlobal('fetch', async (_: unknown, init?: object) => {
    asked.push('dispatcher' in (init ?? {}) ? 'guarded' : 'let through')
    return new Response()
  })
  onTestFinished(() => void vi.unstubAllGlobals())
  const url = 'http://metadata.google.internal/computeMetadata/v1/x'
  const headers = { 'Metadata-Flavor': 'Google' }
  await fetch(url, { headers })
  await fetch(new Request(url, { headers }))
  await fetch(url)
  await fetch('http://169.254.169.254/computeMetadata/v1/x', { headers })
  expect(asked).toEqual(['let through', 'let through', 'guarded', 'guarded'])
})

test('a provider’s own authority is believed, for that provider only', async () => {
  const { key, cert } = selfSignedCertificate()
  const secure = createSecureServer({ key, cert }, (_request, response) => void response.end('signed by itself'))
  await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void secure.close())
  const url = `https://localhost:${(secure.address() as AddressInfo).port}/` // it listens on a port
  const file = join(mkdtempSync(join(tmpdir(), 'gatehouse-ca-')), 'ca.pem')
  writeFileSync(file, cert)
  outside = openOutsideFetch()
  const trusting = fetchWithTrust(outside.fetch, { caFiles: [file], withSystem: false, isBlind: false })
  expect(await (await trusting(url)).text()).toBe('signed by itself')
  await expect(outside.fetch(url)).rejects.toThrow()
})
