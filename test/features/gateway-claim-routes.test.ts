import { afterEach, expect, test } from 'vitest'
import { dexIssuer, type GatewayWorld, gatewayWorld, mint } from './gateway-world.ts'

let world: GatewayWorld | undefined
afterEach(() => world?.close())

const claims = {
  iss: dexIssuer,
  sub: 'ada',
  groups: ['admin', 'ml'],
  level: 3,
  nested: { key: { 'a.b': 'deep', list: ['x'] } },
  'https://example.com/role': 'lead',
}

/** Where a request with that token goes when only the claim match leads to `special`; else to `other`, or 404. */
async function routed(match: object, { token = claims as object | null, hasOther = true } = {}) {
  let last = ''
  const http = [
    { match: [match], route: [{ destination: { host: 'special' } }] },
    ...(hasOther ? [{ route: [{ destination: { host: 'other' } }] }] : []),
  ]
  const gateway = await gatewayWorld({
    yaml: `
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: dex, namespace: istio-system }
spec: { jwtRules: [{ issuer: "${dexIssuer}", jwksUri: "${dexIssuer}/keys" }] }
---
${JSON.stringify({
  apiVersion: 'networking.istio.io/v1',
  kind: 'VirtualService',
  metadata: { name: 'claims', namespace: 'apps' },
  spec: { hosts: ['*'], gateways: ['edge'], http },
})}`,
    resolveUpstream: (host) => {
      last = host
      return { kind: 'origin', origin: `http://127.0.0.1:${gateway.upstreamPort}` }
    },
  })
  world = gateway
  const bearer = token ? { authorization: `Bearer ${await mint({ ...token })}` } : {}
  const { status } = await gateway.send('GET', '/', bearer)
  await gateway.close()
  return status === 200 ? last : status
}

const has = (name: string, match: object) => ({ headers: { [`@request.auth.claims${name}`]: match } })

test.each([
  ['.sub', { exact: 'ada' }],
  ['.sub', { prefix: 'a' }],
  ['.sub', { regex: 'a.+' }],
  ['.groups', { exact: 'ml' }],
  ['[groups]', { exact: 'admin' }],
  ['[nested][key][a.b]', { exact: 'deep' }],
  ['.nested.key.list', { exact: 'x' }],
  ['[https://example.com/role]', { exact: 'lead' }],
  ['.groups', {}],
])('a claim leads to a route: %s %j', async (name, match) => {
  expect(await routed(has(name, match))).toBe('special')
})

test.each([
  ['.sub', { exact: 'bob' }],
  ['.sub', { regex: 'a' }],
  ['.groups', { exact: 'm' }],
  ['.level', { exact: '3' }],
  ['.nested.key.a.b', { exact: 'deep' }],
  ['.missing', {}],
])('another claim does not: %s %j', async (name, match) => {
  expect(await routed(has(name, match))).toBe('other')
})

test('without a token no claim route is taken', async () => {
  expect(await routed(has('.sub', { exact: 'ada' }), { token: null })).toBe('other')
  expect(await routed(has('.sub', { exact: 'ada' }), { token: null, hasOther: false })).toBe(404)
})

test('withoutHeaders asks that a claim does not match', async () => {
  const without = { withoutHeaders: { '@request.auth.claims.groups': { exact: 'admin' } } }
  expect(await routed(without)).toBe('other')
  expect(await routed(without, { token: { ...claims, groups: ['ml'] } })).toBe('special')
})

test('a name that is no claim keeps the configuration from loading', async () => {
  await expect(routed(has('', { exact: 'x' }))).rejects.toThrow('names no claim')
  await expect(routed(has('[]', { exact: 'x' }))).rejects.toThrow('names no claim')
})
