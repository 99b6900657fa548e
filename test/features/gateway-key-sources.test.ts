import { afterEach, expect, test } from 'vitest'
import { catchAllRoute, type GatewayWorld, gatewayWorld, keySet, mint } from './gateway-world.ts'

let world: GatewayWorld | undefined
afterEach(() => world?.close())

const issuer = 'https://issuer.example'

async function open({ mode = 'native', jwksUri, answer }: Options) {
  const fetched: string[] = []
  world = await gatewayWorld({
    mode,
    yaml: `${catchAllRoute}
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: one, namespace: istio-system }
spec: { jwtRules: [${JSON.stringify({ issuer, ...(jwksUri ? { jwksUri } : {}) })}] }`,
    async fetch(input) {
      const url = new Request(input).url
      fetched.push(url)
      return answer(url)
    },
  })
  const { send, clock } = world
  const authorization = `Bearer ${await mint({ iss: issuer, sub: 'ada' })}`
  return { fetched, clock, status: async () => (await send('GET', '/', { authorization })).status }
}

interface Options {
  readonly mode?: 'native' | 'istio'
  readonly jwksUri?: string
  readonly answer: (url: string) => Response
}

test.each([
  'http://169.254.169.254/latest/meta-data/keys',
  'http://0xa9fea9fe/keys',
  'http://2852039166/keys',
  'http://[fe80::1]/keys',
  'http://[::ffff:169.254.169.254]/keys',
  'http://[fd00:ec2::254]/keys',
  'http://metadata.google.internal/keys',
  'http://100.100.100.200/keys',
])('keys are never fetched from %s', async (jwksUri) => {
  const { fetched, status } = await open({ jwksUri, answer: () => Response.json(keySet) })
  expect(await status()).toBe(401)
  expect(fetched).toEqual([])
})

test('nor where an issuer’s discovery document leads there', async () => {
  const answer = () => Response.json({ issuer, jwks_uri: 'http://169.254.169.254/keys' })
  const { fetched, status } = await open({ answer })
  expect(await status()).toBe(401)
  expect(fetched).toEqual([`${issuer}/.well-known/openid-configuration`])
})

test.each([
  ['native', 200],
  ['istio', 401],
] as const)('an unknown kid is a reason to ask again only natively (%s)', async (mode, expected) => {
  let isRotated = false
  const old = { keys: keySet.keys.map((key) => ({ ...key, kid: 'old' })) }
  const { clock, status } = await open({
    mode,
    jwksUri: `${issuer}/keys`,
    answer: () => Response.json(isRotated ? keySet : old),
  })
  expect(await status()).toBe(401)
  isRotated = true
  clock.advance(11_000)
  expect(await status()).toBe(expected)
})

test('in istio mode keys are fetched again when they are old', async () => {
  let isRotated = false
  const old = { keys: keySet.keys.map((key) => ({ ...key, kid: 'old' })) }
  const answer = () => Response.json(isRotated ? keySet : old)
  const { clock, status } = await open({ mode: 'istio', jwksUri: `${issuer}/keys`, answer })
  expect(await status()).toBe(401)
  isRotated = true
  clock.advance(20 * 60_000 + 1)
  await status()
  expect(await status()).toBe(200)
})

test('keys are fetched before the first token comes, and it waits for nobody', async () => {
  const { fetched, status } = await open({ jwksUri: `${issuer}/keys`, answer: () => Response.json(keySet) })
  world?.gateway.keepKeysFresh()
  expect(fetched).toEqual([`${issuer}/keys`])
  expect(await status()).toBe(200)
  expect(fetched).toEqual([`${issuer}/keys`])
})

test('an issuer that goes down later is missed by nobody who has its keys', async () => {
  let isUp = true
  const answer = () => (isUp ? Response.json(keySet) : new Response('down', { status: 503 }))
  const { clock, status } = await open({ jwksUri: `${issuer}/keys`, answer })
  world?.gateway.keepKeysFresh()
  expect(await status()).toBe(200)
  isUp = false
  clock.advance(24 * 3_600_000)
  expect(await status()).toBe(200)
  expect(await status()).toBe(200)
})

test.each([
  ['http', 'http://issuer.example/keys'],
  ['this machine', 'https://localhost:9200/keys'],
  ['a private address', 'https://10.0.0.1/keys'],
  ['a private address of IPv6', 'https://[fd00::1]/keys'],
])('a public issuer’s document does not lead to %s', async (_, jwks_uri) => {
  const { fetched, status } = await open({ answer: () => Response.json({ issuer, jwks_uri }) })
  expect(await status()).toBe(401)
  expect(fetched).toEqual([`${issuer}/.well-known/openid-configuration`])
})

test('the document of a cluster’s own issuer does: its API server has a private address', async () => {
  const cluster = 'https://kubernetes.default.svc.cluster.local'
  const fetched: string[] = []
  world = await gatewayWorld({
    yaml: `${catchAllRoute}
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: one, namespace: istio-system }
spec: { jwtRules: [{ issuer: "${cluster}" }] }`,
    async fetch(input) {
      const { url } = new Request(input)
      fetched.push(url)
      return Response.json(url.endsWith('/jwks') ? keySet : { jwks_uri: 'https://172.18.0.2:6443/openid/v1/jwks' })
    },
  })
  const authorization = `Bearer ${await mint({ iss: cluster, sub: 'system:serviceaccount:a:b' })}`
  expect((await world.send('GET', '/', { authorization })).status).toBe(200)
  expect(fetched).toEqual([`${cluster}/.well-known/openid-configuration`, 'https://172.18.0.2:6443/openid/v1/jwks'])
})

test('a key set of more than a hundred keys is none; the last good one stays', async () => {
  let keys = keySet.keys
  const { clock, status } = await open({ jwksUri: `${issuer}/keys`, answer: () => Response.json({ keys }) })
  expect(await status()).toBe(200)
  keys = Array.from({ length: 101 }, (_, at) => ({ ...keySet.keys[0], kid: `k${at}` })) as typeof keys
  clock.advance(3_600_000)
  await status()
  expect(await status()).toBe(200)
})
