import { afterEach, describe, expect, test } from 'vitest'
import type { Fetch } from '../../src/http/part.ts'
import type { JsonObject } from '../../src/tokens/jwt.ts'
import { catchAllRoute, type GatewayWorld, gatewayWorld, type HeaderInit, keySet, mint } from './gateway-world.ts'

const iss = 'https://issuer.example'
const now = Date.UTC(2026, 0, 1) / 1000
const base = { iss, sub: 'ada', exp: now + 3600 }
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

let world: GatewayWorld | undefined
afterEach(() => world?.close())

/** A gateway that verifies as `jwtRules` say and lets every request on. */
async function open(
  jwtRules: readonly object[],
  options: { mode?: 'istio' | 'native'; fetch?: Fetch; more?: string } = {},
) {
  const { more, ...rest } = options
  const authentication = JSON.stringify({
    apiVersion: 'security.istio.io/v1',
    kind: 'RequestAuthentication',
    metadata: { name: 'tokens', namespace: 'istio-system' },
    spec: { jwtRules },
  })
  const gateway = await gatewayWorld({
    yaml: [authentication, catchAllRoute, ...(more ? [more] : [])].join('\n---\n'),
    ...rest,
  })
  world = gateway
  return {
    ...gateway,
    /** The headers the app got, or the refusal. */
    async get(headers: HeaderInit = {}, path = '/') {
      const { status, body } = await gateway.send('GET', path, headers)
      return status === 200 ? { ...gateway.seen.at(-1)?.headers, url: gateway.seen.at(-1)?.url } : `${status} ${body}`
    },
  }
}

const inline = { issuer: iss, jwks: JSON.stringify(keySet) }

describe('the words of a refusal', () => {
  test.each<readonly [string, JsonObject | string, string]>([
    ['expired', { ...base, exp: now - 61 }, '401 Jwt is expired'],
    ['not yet valid', { ...base, nbf: now + 61 }, '401 Jwt not yet valid'],
    ['another issuer', { ...base, iss: 'https://other' }, '401 Jwt issuer is not configured'],
    ['no issuer', { sub: 'ada' }, '401 Jwt issuer is not configured'],
    ['another audience', { ...base, aud: 'other' }, '403 Audiences in Jwt are not allowed'],
    ['an issuer that is no text', { ...base, iss: 1 }, '401 Jwt payload [iss] field is not a string'],
    ['an expiry that is no number', { ...base, exp: 'x' }, '401 Jwt payload [exp] field is not an integer'],
    ['no token at all', 'junk', '401 Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections'],
    ['a header that is no base64url', '!.e30.x', '401 Jwt header is an invalid Base64url encoded'],
    ['a header that is no JSON', 'eA.e30.x', '401 Jwt header is an invalid JSON'],
    ['no alg', 'e30.e30.x', '401 Jwt header [alg] field is required and must be a string'],
    ['alg none', 'eyJhbGciOiJub25lIn0.e30.', '401 Jwt header [alg] is not supported'],
  ])('%s', async (_, token, expected) => {
    const { get } = await open([{ ...inline, audiences: ['app'] }])
    const text =
      typeof token === 'string' ? token : await mint(token.aud === undefined ? { ...token, aud: 'app' } : token)
    expect(await get(bearer(text))).toBe(expected)
  })

  test('a foreign signature', async () => {
    const { get } = await open([inline])
    expect(await get(bearer(await mint(base, { isForged: true })))).toBe('401 Jwt verification fails')
  })

  test('a key nobody published', async () => {
    const { get } = await open([{ ...inline, jwks: JSON.stringify({ keys: [{ ...keySet.keys[0], kid: 'k2' }] }) }])
    expect(await get(bearer(await mint(base)))).toBe("401 Jwks doesn't have key to match kid or alg from Jwt")
  })

  test.each([
    ['native', '401 Jwks remote fetch is failed'],
    ['istio', '401 Jwt verification fails'],
  ] as const)('keys that cannot be had, in %s mode', async (mode, expected) => {
    const fetch = async () => new Response('down', { status: 503 })
    const { get } = await open([{ issuer: iss, jwksUri: 'https://issuer.example/keys' }], { mode, fetch })
    expect(await get(bearer(await mint(base)))).toBe(expected)
    expect(await get()).toMatchObject({ url: '/' })
  })
})

describe('time', () => {
  test('sixty seconds of skew are forgiven on both sides', async () => {
    const { get } = await open([inline])
    expect(await get(bearer(await mint({ ...base, exp: now - 60, nbf: now + 60 })))).toMatchObject({ url: '/' })
  })

  test('a token that was good is refused when its time is over', async () => {
    const { get, clock } = await open([inline])
    const token = bearer(await mint({ ...base, exp: now + 10 }))
    expect(await get(token)).toMatchObject({ url: '/' })
    clock.advance(70_000)
    expect(await get(token)).toMatchObject({ url: '/' })
    clock.advance(1_000)
    expect(await get(token)).toBe('401 Jwt is expired')
  })

  test('a token without expiry never expires', async () => {
    const { get, clock } = await open([inline])
    const token = bearer(await mint({ iss, sub: 'ada' }))
    clock.advance(1e12)
    expect(await get(token)).toMatchObject({ url: '/' })
  })
})

describe('keys', () => {
  test('come from jwksUri once, and again when a token names one that is not known', async () => {
    const urls: string[] = []
    const { get, clock } = await open([{ issuer: iss, jwksUri: 'https://issuer.example/keys' }], {
      fetch: async (input) => {
        urls.push(String(input))
        return Response.json(urls.length === 1 ? { keys: [] } : keySet)
      },
    })
    const token = bearer(await mint(base))
    expect(await get(token)).toBe("401 Jwks doesn't have any valid public key")
    clock.advance(10_000)
    expect(await get(token)).toMatchObject({ url: '/' })
    expect(await get(token)).toMatchObject({ url: '/' })
    expect(urls).toEqual(['https://issuer.example/keys', 'https://issuer.example/keys'])
  })

  test('without jwksUri are where the issuer’s discovery document says', async () => {
    const urls: string[] = []
    const { get } = await open([{ issuer: `${iss}/realm` }], {
      fetch: async (input) => {
        urls.push(String(input))
        return Response.json(urls.length === 1 ? { jwks_uri: 'https://issuer.example/realm/keys' } : keySet)
      },
    })
    expect(await get(bearer(await mint({ ...base, iss: `${iss}/realm` })))).toMatchObject({ url: '/' })
    expect(urls).toEqual([
      'https://issuer.example/realm/.well-known/openid-configuration',
      'https://issuer.example/realm/keys',
    ])
  })
})

describe('where tokens are', () => {
  test('by default in Authorization and access_token, and they go no further', async () => {
    const { get } = await open([inline])
    const token = await mint(base)
    expect(await get(bearer(token))).not.toHaveProperty('authorization')
    expect(await get({}, `/x?a=1&access_token=${token}&b=%20`)).toMatchObject({ url: '/x?a=1&b=%20' })
    expect(await get(bearer(token))).not.toHaveProperty('authorization')
    expect(await get({}, '/?access_token=junk')).toMatch(/^401 Jwt is not/)
  })

  test('a named place replaces the default ones', async () => {
    const fromHeaders = [{ name: 'X-Token', prefix: 'jwt ' }]
    const { get } = await open([{ ...inline, fromHeaders, fromParams: ['t'], fromCookies: ['c'] }])
    const token = await mint(base)
    expect(await get({ 'x-token': `jwt ${token}` })).not.toHaveProperty('x-token')
    expect(await get({}, `/?t=${token}`)).toMatchObject({ url: '/' })
    expect(await get({ cookie: `a=1; c=${token}` })).toMatchObject({ cookie: `a=1; c=${token}` })
    expect(await get({ cookie: 'c=junk' })).toMatch(/^401/)
    expect(await get(bearer('junk'))).toMatchObject({ authorization: 'Bearer junk' })
  })

  test('every token a rule finds must be good', async () => {
    const { get } = await open([{ ...inline, fromParams: ['t', 'u'] }])
    const [good, expired] = await Promise.all([mint(base), mint({ ...base, exp: now - 3600 })])
    expect(await get({}, `/?t=${good}&u=${good}`)).toMatchObject({ url: '/' })
    expect(await get({}, `/?t=${good}&u=${expired}`)).toBe('401 Jwt is expired')
    expect(await get({}, `/?t=${expired}&u=${good}`)).toBe('401 Jwt is expired')
  })

  test('in istio mode several Authorization headers are one value', async () => {
    const { get } = await open([inline], { mode: 'istio' })
    const [good, expired] = await Promise.all([mint(base), mint({ ...base, exp: now - 3600 })])
    expect(await get({ authorization: ['Basic x', `Bearer ${good}`] })).toMatchObject({ url: '/' })
    expect(await get({ authorization: [`Bearer ${expired}`, `Bearer ${good}`] })).toContain(
      '401 Jwt is not in the form',
    )
  })

  test('in istio mode the prefix is found anywhere, natively only in front', async () => {
    const token = await mint(base)
    const odd = { authorization: `Basic x Bearer ${token}` }
    const istio = await open([{ ...inline, outputClaimToHeaders: [{ header: 'x-sub', claim: 'sub' }] }], {
      mode: 'istio',
    })
    expect(await istio.get(odd)).toMatchObject({ 'x-sub': 'ada' })
    await world?.close()
    const native = await open([{ ...inline, outputClaimToHeaders: [{ header: 'x-sub', claim: 'sub' }] }])
    expect(await native.get(odd)).not.toHaveProperty('x-sub')
  })
})

describe('several rules', () => {
  const output = (header: string) => ({ outputClaimToHeaders: [{ header, claim: 'sub' }] })

  test('are tried in the order of their issuers; the one that fits wins', async () => {
    const { get } = await open([
      { ...inline, issuer: 'https://b', ...output('x-b') },
      { ...inline, issuer: 'https://a', ...output('x-a') },
    ])
    const headers = await get(bearer(await mint({ ...base, iss: 'https://b' })))
    expect(headers).toMatchObject({ 'x-b': 'ada' })
    expect(headers).not.toHaveProperty('x-a')
    expect(await get(bearer(await mint({ ...base, iss: 'https://c' })))).toBe('401 Jwt issuer is not configured')
    expect(await get(bearer(await mint({ ...base, iss: 'https://b', exp: 1 })))).toBe('401 Jwt is expired')
  })

  test('in istio mode only rules that are tried remove what a client sent under their names', async () => {
    const rules = [
      { ...inline, issuer: 'https://a', ...output('x-a') },
      { ...inline, issuer: 'https://b', ...output('x-b') },
    ]
    const spoofed = { ...bearer(await mint({ ...base, iss: 'https://a' })), 'x-a': 'evil', 'x-b': 'evil' }
    const istio = await open(rules, { mode: 'istio' })
    expect(await istio.get(spoofed)).toMatchObject({ 'x-a': 'ada', 'x-b': 'evil' })
    expect(await istio.get({ 'x-a': 'evil', 'x-b': 'evil' })).not.toHaveProperty('x-b')
    await world?.close()
    const native = await open(rules)
    expect(await native.get(spoofed)).not.toHaveProperty('x-b')
  })

  test('a token verified for one place is not believed in another', async () => {
    const { get } = await open([
      { ...inline, fromHeaders: [{ name: 'x-a' }], ...output('x-sub') },
      { ...inline, issuer: 'https://b', fromHeaders: [{ name: 'x-b' }], ...output('x-sub') },
    ])
    const token = await mint(base)
    expect(await get({ 'x-a': token })).toMatchObject({ 'x-sub': 'ada' })
    expect(await get({ 'x-b': token })).toBe('401 Jwt issuer is not configured')
    expect(await get({ 'x-a': token, 'x-b': token })).toMatchObject({ 'x-sub': 'ada' })
  })
})

test('an empty issuer accepts any', async () => {
  const { get } = await open([{ jwks: inline.jwks, issuer: '' }])
  expect(await get(bearer(await mint({ ...base, iss: 'https://whoever' })))).toMatchObject({ url: '/' })
})

test('audiences are compared without scheme and trailing slash', async () => {
  const { get } = await open([{ ...inline, audiences: ['https://app.example/'] }])
  expect(await get(bearer(await mint({ ...base, aud: ['x', 'app.example'] })))).toMatchObject({ url: '/' })
})

test('claims become headers by their type', async () => {
  const claims = { ...base, n: 42, f: 1.5, minus: -1, yes: true, empty: '', list: ['a', 'b'], o: { p: { q: 'deep' } } }
  const names = ['n', 'f', 'minus', 'yes', 'empty', 'list', 'o', 'o.p.q', 'none']
  const outputClaimToHeaders = names.map((claim) => ({ header: `x-${claim.replaceAll('.', '-')}`, claim }))
  const rule = { ...inline, outputClaimToHeaders, outputPayloadToHeader: 'x-payload' }
  const token = await mint(claims)
  const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64')
  const common = { 'x-n': '42', 'x-f': '1.500000', 'x-minus': '-1.000000', 'x-yes': 'true', 'x-o-p-q': 'deep' }
  const istio = await open([rule], { mode: 'istio' })
  const seen = await istio.get(bearer(token))
  expect(seen).toMatchObject({ ...common, 'x-list': base64(['a', 'b']), 'x-o': base64(claims.o) })
  expect(seen).toMatchObject({ 'x-payload': token.split('.')[1] })
  for (const name of ['x-empty', 'x-none']) expect(seen).not.toHaveProperty(name)
  await world?.close()
  const native = await open([rule])
  expect(await native.get(bearer(token))).toMatchObject({ ...common, 'x-list': 'a,b', 'x-o': base64(claims.o) })
})

test('scope and other claims written with spaces are lists to policies', async () => {
  const policy = (claim: string) =>
    JSON.stringify({
      apiVersion: 'security.istio.io/v1',
      kind: 'AuthorizationPolicy',
      metadata: { name: 'scope', namespace: 'istio-system' },
      spec: { rules: [{ when: [{ key: `request.auth.claims[${claim}]`, values: ['write'] }] }] },
    })
  const claims = { ...base, scope: 'read write', roles: 'read write' }
  const token = bearer(await mint(claims))
  const scope = await open([inline], { more: policy('scope') })
  expect(await scope.get(token)).toMatchObject({ url: '/' })
  await world?.close()
  const plain = await open([inline], { more: policy('roles') })
  expect(await plain.get(token)).toBe('403 RBAC: access denied')
  await world?.close()
  const split = await open([{ ...inline, spaceDelimitedClaims: ['roles'] }], { more: policy('roles') })
  expect(await split.get(token)).toMatchObject({ url: '/' })
})
