import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, request as httpRequest } from 'node:http'
import process from 'node:process'
import { expect, test } from 'vitest'
import { freePort } from '../world/programs.ts'
import type { Front } from './front-world.ts'

/** A request as one side sent or the other received it. */
interface SentRequest {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
}

/** What a server in front asks Gatehouse about a client's request, in order. */
export interface RecordedQuestion {
  readonly kind: string
  readonly request: SentRequest
  readonly questions: readonly SentRequest[]
}

const page = { accept: 'text/html,*/*;q=0.8', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
const script = { accept: '*/*', 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' }
const lies = {
  'x-forwarded-uri': '/open/page',
  'x-forwarded-method': 'GET',
  'x-forwarded-host': 'evil.example',
  'x-forwarded-for': '10.0.0.1',
  'x-original-url': 'https://evil.example/open/page',
  'x-original-method': 'GET',
  'x-auth-request-email': 'root@example.com',
  x_auth_request_email: 'root@example.com',
}
const socket = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'x3JJHMbDL1EzLkh9GBhXDg==',
}

const requests: readonly Omit<RecordedQuestion, 'questions'>[] = [
  { kind: 'navigation', request: { method: 'GET', path: '/reports?a=1&b=%20c', headers: { ...page, cookie: 'a=1' } } },
  { kind: 'script', request: { method: 'POST', path: '/reports', headers: { ...script, 'content-length': '0' } } },
  { kind: 'socket', request: { method: 'GET', path: '/socket', headers: socket } },
  { kind: 'exempt', request: { method: 'GET', path: '/open/page', headers: page } },
  { kind: 'exempt by another method', request: { method: 'DELETE', path: '/open/page', headers: script } },
  { kind: 'lies', request: { method: 'GET', path: '/reports', headers: { ...script, ...lies } } },
]

/**
 * The questions a server asks, held to `test/compat/fronts/NAME.json`, which ordinary tests put to the proxy.
 * `GATEHOUSE_RECORD=1` renews it.
 */
export function questionsTest(name: string, front: Front): void {
  const file = new URL(`../compat/fronts/${name}.json`, import.meta.url)
  test('asks as recorded', async () => {
    const received: SentRequest[] = []
    const recorder = createServer(({ method = '', url: path = '', headers }, response) => {
      const told = Object.entries(headers).map(([header, value]) => [header, String(value)])
      received.push({ method, path, headers: Object.fromEntries(told) })
      response.writeHead(401, { connection: 'close' }).end()
    })
    const port = await freePort()
    const gatehouse = await freePort()
    await new Promise<void>((resolve) => recorder.listen(gatehouse, '127.0.0.1', resolve))
    const nobody = `127.0.0.1:${await freePort()}`
    const server = await front.start({ port, gatehouse: `127.0.0.1:${gatehouse}`, grpc: nobody, application: nobody })
    const asked: RecordedQuestion[] = []
    for (const { kind, request } of requests) {
      await send(port, request)
      const questions = received.splice(0).map((one) => withoutAddresses(one, { port, gatehouse }))
      asked.push({ kind, request, questions })
    }
    await server.stop()
    recorder.close()
    if (process.env['GATEHOUSE_RECORD'] === '1') writeFileSync(file, `${JSON.stringify(asked, null, 1)}\n`)
    expect(asked).toEqual(JSON.parse(readFileSync(file, 'utf8')))
  })
}

/** Sends a request and waits until it is answered. */
function send(port: number, { method, path, headers }: SentRequest): Promise<void> {
  return new Promise((resolve, reject) => {
    const all = { host: `127.0.0.1:${port}`, ...headers }
    const sent = httpRequest({ host: '127.0.0.1', port, method, path, headers: all, agent: false }, (response) => {
      response.resume().on('end', resolve)
    })
    sent.on('error', reject).end()
  })
}

/** What is new at each run is put aside. */
function withoutAddresses(
  { headers, ...request }: SentRequest,
  { port, gatehouse }: { port: number; gatehouse: number },
): SentRequest {
  const told = Object.entries(headers)
    .filter(([name]) => name !== 'x-request-id')
    .map(([name, value]) => [
      name,
      value.replaceAll(`127.0.0.1:${port}`, 'apps.example.com').replaceAll(`127.0.0.1:${gatehouse}`, '127.0.0.1:4180'),
    ])
  return { ...request, headers: Object.fromEntries(told.toSorted()) }
}
