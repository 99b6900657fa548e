import { request } from 'node:http'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { findDecision } from '../../src/app/decision-log.ts'
import { readChain } from '../../src/app/explain-chain.ts'
import { explainRequest } from '../../src/app/explain-request.ts'
import type { ChainConfig } from '../../src/config/chain.ts'
import { systemClock } from '../../src/kit/clock.ts'
import { systemRandom } from '../../src/kit/random.ts'
import { type TestGatehouse, testGatehouse } from '../world/gatehouse.ts'
import { httpClient } from '../world/http-client.ts'
import { mint } from './gateway-world.ts'

const from = fileURLToPath(new URL('../fixtures/kubeflow/stock', import.meta.url))

interface LiveChain {
  readonly gatehouse: TestGatehouse
  readonly chain: ChainConfig
  /** Kinds of credentials, by name. */
  readonly credentials: Readonly<Record<string, readonly (readonly [string, string])[]>>
}

let stock: LiveChain
let own: LiveChain
beforeAll(async () => {
  stock = await liveChain(from)
  own = await liveChain(undefined)
})
afterAll(async () => {
  await Promise.all([stock.gatehouse.close(), own.gatehouse.close()])
})

/** A running chain and, for explain, its configuration read again beside it; somebody is signed in. */
async function liveChain(directory: string | undefined): Promise<LiveChain> {
  const gatehouse = await testGatehouse(directory === undefined ? {} : { from: directory })
  const { publicUrl, dataDirectory } = gatehouse
  const chain = readChain({
    source: directory === undefined ? { kind: 'default' } : { kind: 'directory', path: directory },
    publicUrl,
    dataDirectory,
    random: systemRandom,
  })
  const cookie = await signIn(gatehouse, directory)
  const issuer = chain.proxy?.oidc_issuer_url
  const bearer = async (claims: Readonly<Record<string, unknown>>) =>
    [['Authorization', `Bearer ${await mint({ iss: issuer, sub: 'a', ...claims })}`]] as const
  return {
    gatehouse,
    chain,
    credentials: {
      none: [],
      session: [['Cookie', cookie]],
      'another session': [['Cookie', cookie.replace(/=./, '=x')]],
      'expired token': await bearer({ exp: 1 }),
      'foreign token': await bearer({ iss: 'https://elsewhere.example' }),
      'forged token': await bearer({ exp: 4e9 }),
      'no token': [['Authorization', 'Bearer junk']],
      basic: [['Authorization', 'Basic eDp5']],
      'lower case': [['Authorization', 'bearer junk']],
      empty: [['Authorization', '']],
      'session and basic': [
        ['Authorization', 'Basic eDp5'],
        ['Cookie', cookie],
      ],
    },
  }
}

async function signIn({ publicUrl, passwordOf }: TestGatehouse, directory: string | undefined): Promise<string> {
  const client = httpClient()
  const page = await client.follow(`${publicUrl}/oauth2/start?rd=/`)
  const fields =
    directory === undefined
      ? { username: 'ada', password: passwordOf('ada') }
      : { login: 'user@example.com', password: '12341234' }
  await client.submit(page, fields)
  return [...client.cookies.values()]
    .filter(({ path }) => path === '/')
    .map(({ name, value }) => `${name}=${value}`)
    .join('; ')
}

interface Sent {
  readonly method: string
  readonly target: string
  readonly host: string
  readonly headers: readonly (readonly [string, string])[]
}

interface LiveAnswer {
  readonly status: number
  readonly body: string
  readonly location: string | undefined
  /** Told by refusals of the gateway and of parts. */
  readonly requestId: string | undefined
}

function send({ gatehouse }: LiveChain, { method, target, host, headers }: Sent): Promise<LiveAnswer> {
  return new Promise((resolve, reject) => {
    const { port } = new URL(gatehouse.publicUrl)
    const flat = [['Host', host] as const, ...headers].flat()
    const options = { host: 'localhost', port, method, path: target, headers: flat, setHost: false, agent: false }
    const sent = request(options, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (chunk) => {
        body += chunk
      })
      response.on('end', () => {
        const { location, 'x-request-id': id } = response.headers
        resolve({
          status: response.statusCode ?? 0,
          body,
          location,
          requestId: typeof id === 'string' ? id : undefined,
        })
      })
    })
    sent.on('error', reject).end()
  })
}

const targets = [
  ...['/', '/echo/', '/echo', '/notes/', '/myapp/api/data', '/pipeline/apis/v2beta1/x', '/api/x?y=1', '/ml_metadata/x'],
  ...['/dex/auth', '/dex', '/dexter', '/DEX/x', '/oauth2', '/oauth2/auth', '/oauth2/../x', '/dex/%2e%2e/y', '/a%2fb'],
  ...[
    '/ping',
    '/ready',
    '/robots.txt',
    '/x%00',
    '/x//y',
    '/auth/',
    '/gatehouse/',
    '/kfam/v1',
    '/a\\..\\dex\\x',
    '/%zz',
  ],
]
const kinds = [
  [],
  [['Accept', 'text/html']],
  [['Accept', 'application/json']],
  [['X-Requested-With', 'XMLHttpRequest']],
  [['Sec-Fetch-Mode', 'cors']],
  [
    ['Origin', 'https://elsewhere.example'],
    ['Access-Control-Request-Method', 'GET'],
  ],
  [
    ['kubeflow-userid', 'evil@example.com'],
    ['X-Forwarded-For', '10.0.0.1'],
  ],
] as const

test.each(['stock', 'own'] as const)('explain says what the running chain does: %s files', async (name) => {
  const live = name === 'stock' ? stock : own
  const { host } = new URL(live.gatehouse.publicUrl)
  const sent = fc.record({
    method: fc.constantFrom('GET', 'GET', 'GET', 'OPTIONS', 'HEAD'),
    target: fc.constantFrom(...targets),
    credential: fc.constantFrom(...Object.keys(live.credentials)),
    kind: fc.constantFrom(...kinds),
    host: fc.constantFrom(host, 'platform.example.com', `${host}.`.replace('localhost:', 'localhost.:')),
  })
  let refusals = 0
  const ofParts: string[] = []
  await fc.assert(
    fc.asyncProperty(sent, async ({ credential, kind, ...line }) => {
      const headers = [...(live.credentials[credential] ?? []), ...kind]
      const answer = await send(live, { ...line, headers })
      const { verdict } = await explainRequest({
        chain: live.chain,
        request: { ...line, headers, peerAddress: '127.0.0.1' },
        sender: { kind: 'anonymous' },
        live: live.gatehouse.publicUrl,
        clock: systemClock,
        random: systemRandom,
      })
      if (verdict.isAllowed) {
        if (answer.requestId !== undefined) ofParts.push(answer.requestId)
        // the proxy's own paths may lead to the sign-in by themselves
        if (!line.target.startsWith('/oauth2/')) expect(answer.location?.split('?')[0]).not.toBe('/dex/auth')
        return
      }
      refusals += 1
      expect(answer.status).toBe(verdict.status)
      if (verdict.body !== undefined && !verdict.body.startsWith('page')) expect(answer.body).toBe(verdict.body)
      expect(answer.location?.split('?')[0]).toBe(verdict.location?.split('?')[0])
    }),
    { numRuns: 150, seed: 7 },
  )
  expect(refusals).toBeGreaterThan(30)
  // what explain lets pass, the gateway has refused to nobody: only the part the request reached
  for (const id of ofParts) {
    const found = await vi.waitUntil(() => findDecision(live.gatehouse.dataDirectory, id), { timeout: 5000 })
    expect(found.decision.cause.kind).toBe('part')
  }
})

test('a session of the running chain is believed with its own keys and secrets', async () => {
  const { host } = new URL(own.gatehouse.publicUrl)
  const explanation = await explainRequest({
    chain: own.chain,
    request: { method: 'GET', target: '/echo/', host, headers: own.credentials['session'] ?? [], peerAddress: '::1' },
    sender: { kind: 'anonymous' },
    live: own.gatehouse.publicUrl,
    clock: systemClock,
    random: systemRandom,
  })
  expect(explanation).toMatchObject({
    request: { as: 'ada@example.com' },
    verdict: { isAllowed: true },
    live: { status: 200, agrees: true },
  })
})
