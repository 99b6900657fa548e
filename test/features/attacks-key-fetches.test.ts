import { generateKeyPairSync, sign } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { type AttackWorld, attackWorld, platformWithApp, type RecordingApp, recordingApp } from './attacks-world.ts'

const key = generateKeyPairSync('rsa', { modulusLength: 2048 })
const keySet = JSON.stringify({ keys: [{ ...key.publicKey.export({ format: 'jwk' }), kid: 'known', use: 'sig' }] })

const closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

interface KeyWorld {
  readonly app: RecordingApp
  readonly world: AttackWorld
  /** Paths the issuer was asked for. */
  readonly asked: string[]
  bearer(kid: string): Promise<number>
}

/** A chain that also takes tokens of an issuer elsewhere, whose keys `answer` serves at `/keys`. */
async function keyWorld(answer: RequestListener): Promise<KeyWorld> {
  const app = await recordingApp()
  const asked: string[] = []
  const issuer: Server = createServer((request, response) => {
    asked.push(request.url ?? '')
    answer(request, response)
  })
  await new Promise<void>((resolve) => issuer.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}` // it listens on a port
  const from = platformWithApp(app)
  writeFileSync(join(from, 'tokens.yaml'), requestAuthentication(origin))
  const world = await attackWorld({ from })
  closers.push(
    () => app.close(),
    () => new Promise((resolve) => issuer.close(resolve)),
    () => world.close(),
  )
  const bearer = async (kid: string) => {
    const claims = { iss: origin, sub: 'robot', exp: Math.floor(Date.now() / 1000) + 600 }
    const input = [{ alg: 'RS256', kid }, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.')
    const token = `${input}.${sign('sha256', Buffer.from(input), key.privateKey).toString('base64url')}`
    return (await world.ask('/app/x', { headers: [`Authorization: Bearer ${token}`] })).status
  }
  return { app, world, asked, bearer }
}

function requestAuthentication(origin: string): string {
  return `apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: tokens, namespace: istio-system }
spec:
  selector: { matchLabels: { app: istio-ingressgateway } }
  jwtRules:
    - issuer: https://platform.example.com/dex
      forwardOriginalToken: true
      outputClaimToHeaders: [{ header: kubeflow-userid, claim: email }, { header: kubeflow-groups, claim: groups }]
      fromHeaders: [{ name: Authorization, prefix: "Bearer " }]
    - issuer: ${origin}
      jwksUri: ${origin}/keys
      outputClaimToHeaders: [{ header: kubeflow-userid, claim: sub }, { header: kubeflow-groups, claim: groups }]
      fromHeaders: [{ name: Authorization, prefix: "Bearer " }]
`
}

test('five hundred unknown kids make two fetches of the key set at most', async () => {
  const { asked, bearer } = await keyWorld((_, response) => response.end(keySet))
  expect(await bearer('known')).toBe(200)
  const statuses = await Promise.all(Array.from({ length: 500 }, (_, at) => bearer(`unknown-${at}`)))
  expect(new Set(statuses)).toEqual(new Set([401]))
  expect(asked.length).toBeLessThanOrEqual(2)
  expect(await bearer('known')).toBe(200)
})

test('an issuer that does not answer is asked once, and nobody is let in meanwhile', async () => {
  const { app, asked, bearer } = await keyWorld((request) => request.socket.destroy())
  const statuses = await Promise.all(Array.from({ length: 100 }, () => bearer('known')))
  expect(new Set(statuses)).toEqual(new Set([401]))
  expect(asked.length).toBeLessThanOrEqual(1)
  expect(app.received).toEqual([])
})

test('a redirect of the key set is not followed', async () => {
  const { asked, bearer } = await keyWorld((request, response) => {
    if (request.url === '/keys') response.writeHead(302, { location: '/elsewhere' }).end()
    else response.end(keySet)
  })
  expect(await bearer('known')).toBe(401)
  expect(asked).toEqual(['/keys'])
})

test.each([
  ['no JSON', '<html>'],
  ['no keys', '{}'],
  ['keys that are none', '{"keys":[null,1,"x",{},{"kty":"RSA","n":"","e":""},{"kty":"oct","k":""}]}'],
  ['more than a megabyte', JSON.stringify({ keys: [], padding: 'x'.repeat(2 * 1024 * 1024) })],
  ['a shared secret that is empty', '{"keys":[{"kty":"oct","k":"","alg":"HS256","kid":"known"}]}'],
  ['ten thousand levels', '['.repeat(10_000)],
])('a key set with %s lets nobody in and stops nothing', async (_, document) => {
  const { world, bearer } = await keyWorld((_request, response) => response.end(document))
  expect(await bearer('known')).toBe(401)
  expect((await world.ask('/dex/healthz')).status).toBe(200)
})
