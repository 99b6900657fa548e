import { describe, expect, test } from 'vitest'
import { allows } from './policy-world.ts'

const from = (source: unknown) => ({ from: [{ source }] })
const to = (operation: unknown) => ({ to: [{ operation }] })
const when = (key: string, values: unknown) => ({ when: [{ key, ...(values as object) }] })

describe('requestPrincipals', () => {
  const iss = 'https://issuer.example/realms/a'
  const claims = { iss, sub: 'sub-1' }

  test.each([
    ['*', true],
    [`${iss}/sub-1`, true],
    [`${iss}/*`, true],
    [`${iss}/sub*`, true],
    ['*/sub-1', true],
    ['*realms/a/sub-1', true],
    ['*-1', true],
    ['https:*', true],
    ['https://*', false],
    [`${iss}/sub-2`, false],
    ['*/sub', false],
    ['*/*', false],
    ['*other/sub-1', false],
    [iss, false],
    ['https://issuer.example/*', false],
    ['sub-1', false],
  ])('%s', (pattern, isMatch) => {
    expect(allows(from({ requestPrincipals: [pattern] }), { claims })).toBe(isMatch)
    expect(allows(from({ notRequestPrincipals: [pattern] }), { claims })).toBe(!isMatch)
    expect(allows(when('request.auth.principal', { values: [pattern] }), { claims })).toBe(isMatch)
  })

  test('a token without a subject is nobody, and so is no token', () => {
    expect(allows(from({ requestPrincipals: ['*'] }), { claims: { iss } })).toBe(false)
    expect(allows(from({ requestPrincipals: ['*'] }), { claims: { iss, sub: '' } })).toBe(false)
    expect(allows(from({ notRequestPrincipals: ['*'] }), { claims: { iss } })).toBe(true)
    expect(allows(from({ notRequestPrincipals: ['*'] }))).toBe(true)
  })
})

describe('claims', () => {
  const claims = {
    groups: ['team-a', 'team-b'],
    level: 3,
    admin: true,
    aud: 'app',
    azp: 'cli',
    nested: { deep: ['x'], 'example.com/role': 'admin' },
  }
  test.each([
    ['request.auth.claims[groups]', ['team-a'], true],
    ['request.auth.claims[groups]', ['team-*'], true],
    ['request.auth.claims[groups]', ['team'], false],
    ['request.auth.claims[level]', ['3'], false],
    ['request.auth.claims[admin]', ['true'], false],
    ['request.auth.claims[nested][deep]', ['x'], true],
    ['request.auth.claims[nested][example.com/role]', ['admin'], true],
    ['request.auth.claims[nested]', ['x'], false],
    ['request.auth.claims[missing][deep]', ['*'], false],
    ['request.auth.claims[constructor]', ['*'], false],
    ['request.auth.audiences', ['app'], true],
    ['request.auth.presenter', ['cli'], true],
    ['request.auth.presenter', ['app'], false],
  ])('%s %s', (key, values, isMatch) => {
    expect(allows(when(key, { values }), { claims })).toBe(isMatch)
    expect(allows(when(key, { notValues: values }), { claims })).toBe(!isMatch)
    expect(allows(when(key, { values }))).toBe(false)
  })
})

describe('operations', () => {
  test('methods are exact and case-sensitive', () => {
    expect(allows(to({ methods: ['GET'] }))).toBe(true)
    expect(allows(to({ methods: ['get'] }))).toBe(false)
    expect(allows(to({ notMethods: ['PUT'] }))).toBe(true)
  })

  test('hosts keep their port and ignore case', () => {
    const host = 'App.example.com:8080'
    expect(allows(to({ hosts: ['app.example.com'] }), { host })).toBe(false)
    expect(allows(to({ hosts: ['app.example.com:*'] }), { host })).toBe(true)
    expect(allows(to({ hosts: ['*.EXAMPLE.com:8080'] }), { host })).toBe(true)
    expect(allows(to({ hosts: ['*'] }), { host })).toBe(true)
  })

  test('ports are those of the listener', () => {
    expect(allows(to({ ports: ['8080'] }))).toBe(true)
    expect(allows(to({ notPorts: ['80', '8080'] }))).toBe(false)
    expect(allows(when('destination.port', { values: ['8080'] }))).toBe(true)
  })

  test('paths take string matches and templates side by side', () => {
    const rule = to({ paths: ['/a', '/b/{*}'], notPaths: ['/b/secret'] })
    expect(['/a', '/b/x', '/b/secret', '/c'].map((path) => allows(rule, { path }))).toEqual([true, true, false, false])
  })

  test('all fields of an operation must hold', () => {
    const rule = to({ paths: ['/a'], methods: ['GET'] })
    expect(allows(rule, { path: '/a', method: 'POST' })).toBe(false)
    expect(allows(rule, { path: '/a' })).toBe(true)
  })
})

describe('headers', () => {
  test.each([
    ['x-foo', { values: ['a'] }, true],
    ['X-Foo', { values: ['a'] }, true],
    ['x-empty', { values: ['*'] }, true],
    ['x-none', { values: ['*'] }, false],
    ['x-none', { notValues: ['*'] }, true],
    ['x-empty', { notValues: ['*'] }, false],
    ['x-foo', { values: ['a', 'b'], notValues: ['a'] }, false],
  ])('%s %o', (name, condition, isMatch) => {
    expect(allows(when(`request.headers[${name}]`, condition), { headers: { 'x-foo': 'a', 'x-empty': '' } })).toBe(
      isMatch,
    )
  })
})

describe('addresses', () => {
  test.each([
    ['172.17.0.0/16', '172.17.72.46', true],
    ['172.17.0.0/16', '172.18.0.1', false],
    ['10.1.2.3', '10.1.2.3', true],
    ['10.1.2.3', '10.1.2.4', false],
    ['0.0.0.0/0', '8.8.8.8', true],
    ['2001:db8::/32', '2001:db8:1::1', true],
    ['2001:db8::/32', '2001:db9::1', false],
    ['10.0.0.0/8', '::ffff:10.1.2.3', false], // whoever reads an address unmaps it
    ['10.0.0.0/8', 'unknown', false],
  ])('%s holds %s: %s', (block, address, isMatch) => {
    expect(allows(from({ remoteIpBlocks: [block] }), { clientAddress: address })).toBe(isMatch)
    expect(allows(from({ ipBlocks: [block] }), { peerAddress: address })).toBe(isMatch)
    expect(allows(from({ notRemoteIpBlocks: [block] }), { clientAddress: address })).toBe(!isMatch)
    expect(allows(when('remote.ip', { values: [block] }), { clientAddress: address })).toBe(isMatch)
    expect(allows(when('source.ip', { values: [block] }), { peerAddress: address })).toBe(isMatch)
  })
})

test.each(['principals', 'namespaces', 'serviceAccounts', 'trustDomains'])(
  '%s never match at an edge gateway',
  (field) => {
    expect(allows(from({ [field]: [field === 'serviceAccounts' ? 'a' : '*'] }))).toBe(false)
  },
)

test('notNamespaces always holds at an edge gateway', () => {
  expect(allows(from({ notNamespaces: ['a'] }))).toBe(true)
})

test('the TLS server name matches where there is one', () => {
  expect(allows(when('connection.sni', { values: ['*.example.com'] }), { serverName: 'a.example.com' })).toBe(true)
  expect(allows(when('connection.sni', { values: ['*.example.com'] }))).toBe(false)
})
