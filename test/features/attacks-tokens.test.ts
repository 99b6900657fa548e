import { createHmac, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type AttackWorld,
  attackWorld,
  authorize,
  form,
  platformWithApp,
  type RecordingApp,
  recordingApp,
  redeem,
} from './attacks-world.ts'

const grafana = {
  id: 'grafana',
  secret: 'Vw3nE8qLx0ZtBfK5sGdC',
  redirectUri: 'https://grafana.example/login',
  signedOutUri: 'https://grafana.example/bye',
}
const wiki = {
  id: 'wiki',
  secret: 'Yt7mQ2rHc9JwXaP4dNvB',
  redirectUri: 'https://wiki.example/login',
  signedOutUri: 'https://wiki.example/bye',
}
const realm = '/auth/realms/platform/protocol/openid-connect'

type Json = Readonly<Record<string, unknown>>

let app: RecordingApp
let world: AttackWorld
let cookie: string
/** One of each kind, fresh and genuine. */
let tokens: Readonly<Record<'proxy' | 'broker' | 'brokerRefresh' | 'realm' | 'realmId' | 'realmRefresh', string>>
let identityCookie: string
let brokerKey: KeyObject
let realmKey: KeyObject

beforeAll(async () => {
  app = await recordingApp()
  world = await attackWorld({ from: platformWithApp(app, { relyingParties: [grafana, wiki] }) })
  const { browser, cookie: session } = await world.signIn()
  cookie = session
  identityCookie = [...browser.cookies.values()].find(({ name }) => name === 'KEYCLOAK_IDENTITY')?.value ?? ''
  await world.ask('/app/x', { headers: [`Cookie: ${cookie}`] })
  const proxy = app.received.at(-1)?.headers.find(([name]) => name === 'authorization')?.[1] ?? ''
  const broker = await tokensOf('/dex', { scope: 'openid email groups offline_access', browser })
  const ofRealm = await tokensOf(realm, { scope: 'openid', browser })
  tokens = {
    proxy: proxy.replace('Bearer ', ''),
    broker: String(broker['id_token']),
    brokerRefresh: String(broker['refresh_token']),
    realm: String(ofRealm['access_token']),
    realmId: String(ofRealm['id_token']),
    realmRefresh: String(ofRealm['refresh_token']),
  }
  brokerKey = privateKeyOf(tokens.proxy)
  realmKey = privateKeyOf(tokens.realm)
})
afterAll(async () => {
  await world.close()
  await app.close()
})

/** What `grafana` gets at an issuer for `ada`. */
async function tokensOf(
  base: string,
  { scope, browser }: { scope: string; browser: ReturnType<AttackWorld['newBrowser']> },
) {
  const query = new URLSearchParams({
    ...{
      client_id: grafana.id,
      redirect_uri: grafana.redirectUri,
      response_type: 'code',
      state: 's',
      nonce: 'n',
      scope,
    },
  })
  const back = await authorize(world, browser, { url: `${base}/auth?${query}`, redirectUri: grafana.redirectUri })
  const { json } = await redeem(world, `${base}/token`, {
    ...{ grant_type: 'authorization_code', code: back.searchParams.get('code') ?? '' },
    ...{ redirect_uri: grafana.redirectUri, client_id: grafana.id, client_secret: grafana.secret },
  })
  return json
}

/** The key that signed a token, as the owner of the data directory could read it. */
function privateKeyOf(token: string): KeyObject {
  const database = new DatabaseSync(join(world.gatehouse.dataDirectory, 'gatehouse.db'), { readOnly: true })
  const { kid } = headerOf(token)
  const row = database.prepare('select private_jwk from signing_keys where kid = ?').get(String(kid))
  database.close()
  return createPrivateKey({ key: JSON.parse(String(row?.['private_jwk'])), format: 'jwk' })
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const decode = (text = '') => JSON.parse(Buffer.from(text, 'base64url').toString()) as Json
const headerOf = (token: string) => decode(token.split('.')[0])
const claimsOf = (token: string) => decode(token.split('.')[1])

function signed(header: Json, claims: Json, key: KeyObject): string {
  const input = `${encode(header)}.${encode(claims)}`
  return `${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`
}

/** Every place a bearer token is taken, and how to tell that it was. */
const verifiers: Readonly<Record<string, (token: string) => Promise<boolean>>> = {
  gateway: async (token) => {
    const before = app.received.length
    const { status } = await world.ask('/app/x', { headers: [`Authorization: Bearer ${token}`] })
    expect(status === 200).toBe(app.received.length > before)
    return status === 200
  },
  'broker userinfo': async (token) =>
    (await world.ask('/dex/userinfo', { headers: [`Authorization: Bearer ${token}`] })).status === 200,
  'broker introspection': async (token) =>
    (await world.ask('/dex/token/introspect', form({ token }))).body.includes('"active":true'),
  'realm userinfo': async (token) =>
    (await world.ask(`${realm}/userinfo`, { headers: [`Authorization: Bearer ${token}`] })).status === 200,
  'realm introspection': async (token) => {
    const fields = { token, client_id: wiki.id, client_secret: wiki.secret }
    return (await world.ask(`${realm}/token/introspect`, form(fields))).body.includes('"active":true')
  },
  'proxy userinfo': async (token) =>
    (await world.ask('/oauth2/userinfo', { headers: [`Authorization: Bearer ${token}`] })).status === 200,
}

async function takenBy(token: string): Promise<string[]> {
  const taken: string[] = []
  for (const [name, isTaken] of Object.entries(verifiers)) if (await isTaken(token)) taken.push(name)
  return taken
}

test('a token is taken where it belongs, and nowhere else', async () => {
  const broker = ['broker userinfo', 'broker introspection']
  expect(await takenBy(tokens.proxy)).toEqual(['gateway', ...broker])
  expect(await takenBy(tokens.broker)).toEqual(broker) // made for grafana, not for the gateway
  expect(await takenBy(tokens.realm)).toEqual(['realm userinfo'])
  expect(await takenBy(tokens.realmId)).toEqual([])
  expect(await takenBy(tokens.realmRefresh)).toEqual([])
  expect(await takenBy(tokens.brokerRefresh)).toEqual(['broker introspection'])
  expect(await takenBy(identityCookie)).toEqual([])
})

test('nothing of one issuer, client or kind is redeemed as another', async () => {
  const attempts: readonly (readonly [endpoint: string, fields: Readonly<Record<string, string>>])[] = [
    [`${realm}/token`, { refresh_token: tokens.brokerRefresh }],
    [`${realm}/token`, { refresh_token: tokens.realm }],
    [`${realm}/token`, { refresh_token: tokens.realmId }],
    [`${realm}/token`, { refresh_token: identityCookie }],
    [`${realm}/token`, { refresh_token: tokens.realmRefresh, client_id: wiki.id, client_secret: wiki.secret }],
    ['/dex/token', { refresh_token: tokens.realmRefresh }],
    ['/dex/token', { refresh_token: tokens.broker }],
    ['/dex/token', { refresh_token: tokens.brokerRefresh, client_id: wiki.id, client_secret: wiki.secret }],
  ]
  for (const [endpoint, fields] of attempts) {
    const mine = { client_id: grafana.id, client_secret: grafana.secret, grant_type: 'refresh_token' }
    const { status, json } = await redeem(world, endpoint, { ...mine, ...fields })
    expect(status, JSON.stringify(json)).toBeGreaterThanOrEqual(400)
    expect(json['access_token']).toBeUndefined()
  }
})

test.each(['realmRefresh', 'realm', 'realmId', 'broker'] as const)(
  'a %s token is no cookie of a signed-in browser',
  async (kind) => {
    const query = new URLSearchParams({
      client_id: grafana.id,
      redirect_uri: grafana.redirectUri,
      response_type: 'code',
      scope: 'openid',
    })
    const headers = [
      `Cookie: KEYCLOAK_IDENTITY=${tokens[kind]}; gatehouse=${tokens[kind]}; _oauth2_proxy=${tokens[kind]}; dex_session=${tokens[kind]}`,
    ]
    expect((await world.ask(`${realm}/auth?${query}`, { headers })).body).toContain('kc-form-login')
    expect((await world.ask('/app/x', { headers })).status).toBe(302)
  },
)

describe('a forged token is taken nowhere', () => {
  const mine = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const ec = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  const publicJwk = () => createPublicKey(mine.privateKey).export({ format: 'jwk' })
  const evil = { email: 'evil@example.com', preferred_username: 'evil', groups: ['platform-admins'] }

  /** Forgeries of one genuine token, by what is wrong with them. */
  function forgeries(genuine: string, key: KeyObject): Readonly<Record<string, string>> {
    const header = headerOf(genuine)
    const claims = { ...claimsOf(genuine), ...evil }
    const [head = '', body = '', signature = ''] = genuine.split('.')
    const publicKey = createPublicKey(key)
    const pem = publicKey.export({ format: 'pem', type: 'spki' }).toString()
    const hmac = (secret: string | Buffer, alg = 'HS256') => {
      const input = `${encode({ ...header, alg })}.${encode(claims)}`
      return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
    }
    const unsigned = (alg: string) => `${encode({ ...header, alg })}.${encode(claims)}.`
    const withHeader = (more: Json) => signed({ ...header, ...more }, claims, mine.privateKey)
    return {
      'alg none': unsigned('none'),
      'alg None': unsigned('None'),
      'alg NONE with a signature': `${unsigned('NONE')}${signature}`,
      'alg empty': unsigned(''),
      'no alg': `${encode({ kid: header['kid'] })}.${encode(claims)}.`,
      'HS256 with the public key as PEM': hmac(pem),
      'HS256 with the public key without its last line end': hmac(pem.trim()),
      'HS256 with the public key as DER': hmac(publicKey.export({ format: 'der', type: 'spki' })),
      'HS256 with the public key as JWK': hmac(JSON.stringify(publicKey.export({ format: 'jwk' }))),
      'HS256 with no key': hmac(''),
      'other claims under a genuine signature': `${head}.${encode(claims)}.${signature}`,
      'no signature': `${head}.${body}.`,
      'a signature cut short': genuine.slice(0, -8),
      'a signature with other bits to spare': `${genuine.slice(0, -1)}${nextCharacter(genuine.slice(-1))}`,
      'a signature of zeros': `${head}.${body}.${Buffer.alloc(256).toString('base64url')}`,
      'ES256 with r and s of zero': `${encode({ ...header, alg: 'ES256' })}.${encode(claims)}.${Buffer.alloc(64).toString('base64url')}`,
      'PS256 over RS256': `${encode({ ...header, alg: 'PS256' })}.${body}.${signature}`,
      'another key under the same kid': withHeader({}),
      'another kind of key under the same kid': signed({ ...header, alg: 'ES256' }, claims, ec.privateKey),
      'an embedded jwk': withHeader({ jwk: publicJwk() }),
      'an embedded jwk and no kid': withHeader({ jwk: publicJwk(), kid: undefined }),
      'an x5c': withHeader({ x5c: [mine.publicKey.export({ format: 'der', type: 'spki' }).toString('base64')] }),
      'a critical header': signed({ ...header, crit: ['exp'] }, claims, key),
      'an unencoded payload': signed({ ...header, b64: false, crit: ['b64'] }, claims, key),
      'a second alg': `${Buffer.from(`{"alg":"RS256","kid":"${header['kid']}","alg":"none"}`).toString('base64url')}.${encode(claims)}.`,
      'kid: a path': withHeader({ kid: '../../../../dev/null' }),
      'kid: an empty file': hmacUnder('/dev/null', ''),
      'kid: SQL': withHeader({ kid: "' union select 'a' --" }),
      'kid: __proto__': withHeader({ kid: '__proto__' }),
      'kid: constructor': withHeader({ kid: 'constructor' }),
      'kid: empty': withHeader({ kid: '' }),
      'kid: null': withHeader({ kid: null }),
      'kid: a list': withHeader({ kid: [header['kid']] }),
      'kid: an object': withHeader({ kid: { toString: header['kid'] } }),
      'kid: 30 kB': withHeader({ kid: 'k'.repeat(30_000) }),
      compressed: withHeader({ zip: 'DEF' }),
      'a JWE': `${encode({ alg: 'dir', enc: 'A256GCM' })}..AAAA.AAAA.AAAA`,
      'a JWE with a million rounds': `${encode({ alg: 'PBES2-HS256+A128KW', enc: 'A128GCM', p2c: 1e9, p2s: 'x' })}.AA.AA.AA.AA`,
      'a token in a token': signed({ ...header, cty: 'JWT' }, { ...claims, payload: genuine }, mine.privateKey),
      'JSON in place of base64': `{"alg":"none"}.${JSON.stringify(claims)}.`,
      'four parts': `${genuine}.${signature}`,
      'a line end inside': genuine.replace('.', '.\u000b'),
      'a header ten thousand levels deep': `${Buffer.from('['.repeat(10_000)).toString('base64url')}.${body}.${signature}`,
      'an alg that JavaScript knows': unsigned('constructor'),
      'an alg of the prototype': unsigned('__proto__'),
    }

    function hmacUnder(kid: string, secret: string): string {
      const input = `${encode({ alg: 'HS256', kid })}.${encode(claims)}`
      return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
    }
  }

  test('of the broker', async () => {
    for (const [what, token] of Object.entries(forgeries(tokens.proxy, brokerKey))) {
      expect([what, await takenBy(token)]).toEqual([what, []])
    }
  })

  test('of the realm', async () => {
    for (const [what, token] of Object.entries(forgeries(tokens.realm, realmKey))) {
      expect([what, await takenBy(token)]).toEqual([what, []])
    }
  })

  test('with a kid of a megabyte: the request is refused as a whole', async () => {
    const token = signed({ ...headerOf(tokens.proxy), kid: 'k'.repeat(1024 * 1024) }, evil, mine.privateKey)
    expect((await world.ask('/app/x', { headers: [`Authorization: Bearer ${token}`] })).text).toMatch(/^HTTP\/1\.1 431/)
    expect((await world.ask('/dex/token/introspect', form({ token }))).status).toBe(413)
  })

  test('nor does its header make us fetch a key from anywhere', async () => {
    let fetches = 0
    const server = createServer((_, response) => {
      fetches += 1
      response.end(JSON.stringify({ keys: [{ ...publicJwk(), kid: 'mine', alg: 'RS256', use: 'sig' }] }))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`
    for (const genuine of [tokens.proxy, tokens.realm]) {
      for (const name of ['jku', 'x5u', 'iss']) {
        const header = { ...headerOf(genuine), kid: 'mine', ...(name === 'iss' ? {} : { [name]: url }) }
        const claims = { ...claimsOf(genuine), ...(name === 'iss' ? { iss: url } : {}) }
        expect([name, await takenBy(signed(header, claims, mine.privateKey))]).toEqual([name, []])
      }
    }
    server.close()
    expect(fetches).toBe(0)
  })
})

/** The next character of the base64url alphabet, which differs in its last bit or two. */
function nextCharacter(character: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return alphabet.charAt((alphabet.indexOf(character) + 1) % 64)
}

describe('a token that the issuer itself signed', () => {
  const now = Math.floor(Date.now() / 1000)

  test('is taken nowhere when its claims do not fit', async () => {
    const fromBroker = (change: Json) =>
      signed(headerOf(tokens.proxy), { ...claimsOf(tokens.proxy), ...change }, brokerKey)
    const broken: Readonly<Record<string, Json>> = {
      expired: { exp: now - 3600 },
      'not valid yet': { nbf: now + 3600 },
      'of another issuer': { iss: 'https://evil.example/dex' },
      'of an issuer written otherwise': { iss: `${claimsOf(tokens.proxy)['iss']}/` },
      'with an exp that is no number': { exp: 'tomorrow' },
      'with a subject that is no text': { sub: { a: 1 } },
      'with an audience that is no text': { aud: [1] },
    }
    for (const [what, change] of Object.entries(broken)) {
      expect([what, await takenBy(fromBroker(change))]).toEqual([what, []])
    }
    expect(await verifiers['gateway']?.(fromBroker({ sub: undefined })), 'without a subject').toBe(false)
    expect(await verifiers['gateway']?.(fromBroker({ aud: 'wiki' })), 'for another client').toBe(false)
    expect(await verifiers['gateway']?.(fromBroker({ aud: undefined })), 'for nobody').toBe(false)
    expect(await verifiers['gateway']?.(fromBroker({}))).toBe(true)
  })

  test('is taken nowhere at the realm when its kind, client or session does not fit', async () => {
    const fromRealm = (change: Json) =>
      signed(headerOf(tokens.realm), { ...claimsOf(tokens.realm), ...change }, realmKey)
    const broken: Readonly<Record<string, Json>> = {
      expired: { exp: now - 1 },
      'an ID token': { typ: 'ID' },
      'a refresh token': { typ: 'Refresh' },
      'of no kind': { typ: undefined },
      'of another realm': { iss: String(claimsOf(tokens.realm)['iss']).replace('platform', 'master') },
      'of an unknown client': { azp: 'nobody' },
      'of a client called __proto__': { azp: '__proto__' },
      'of an unknown session': { sid: 'nothing' },
      'from before the session': { iat: now - 86_400 },
    }
    for (const [what, change] of Object.entries(broken)) {
      expect([what, await takenBy(fromRealm(change))]).toEqual([what, []])
    }
    expect(await verifiers['realm userinfo']?.(fromRealm({}))).toBe(true)
  })

  test('tells an app nothing that could be read as two headers', async () => {
    const claims = {
      ...claimsOf(tokens.proxy),
      email: 'ada@example.com\r\nkubeflow-groups: admins',
      groups: ['a,b', 'c\r\nx: y', '/d'],
    }
    await verifiers['gateway']?.(signed(headerOf(tokens.proxy), claims, brokerKey))
    const headers = app.received.at(-1)?.headers ?? []
    expect(headers.filter(([name]) => name === 'kubeflow-userid')).toEqual([])
    expect(headers.filter(([name]) => name === 'kubeflow-groups')).toEqual([['kubeflow-groups', 'd']])
  })

  test('tells an app of no user and no group whose name would be cut to another’s on the way', async () => {
    const claims = { ...claimsOf(tokens.proxy), email: ' admin@example.com', groups: ['admins ', '\tadmins', 'ml'] }
    await verifiers['gateway']?.(signed(headerOf(tokens.proxy), claims, brokerKey))
    const headers = app.received.at(-1)?.headers ?? []
    expect(headers.filter(([name]) => name.startsWith('kubeflow-'))).toEqual([['kubeflow-groups', 'ml']])
  })
})

describe('an Authorization header without a good token opens nothing', () => {
  const genuine = () => tokens.proxy
  const values: readonly (readonly [name: string, lines: () => string[]])[] = [
    ['empty', () => ['Authorization:']],
    ['Basic', () => ['Authorization: Basic YWRhOmFkYQ==']],
    [
      'Basic with a token as the user',
      () => [`Authorization: Basic ${Buffer.from(`${genuine()}:`).toString('base64')}`],
    ],
    ['Bearer without a token', () => ['Authorization: Bearer']],
    ['Bearer with blanks', () => ['Authorization: Bearer    ']],
    ['Bearer with junk', () => ['Authorization: Bearer junk']],
    ['a token without a scheme', () => [`Authorization: ${genuine()}`]],
    ['another scheme before it', () => [`Authorization: Basic x, Bearer ${genuine()}`]],
    ['Negotiate', () => ['Authorization: Negotiate YII=']],
    ['Digest', () => ['Authorization: Digest username="ada"']],
    ['two headers, a good one last', () => ['Authorization: Bearer x.y.z', `Authorization: Bearer ${genuine()}`]],
    ['two headers, a good one first', () => [`Authorization: Bearer ${genuine()}`, 'Authorization: Basic x']],
    ['two good ones', () => [`Authorization: Bearer ${genuine()}`, `Authorization: Bearer ${genuine()}`]],
    ['in an underscored name', () => [`X_Authorization: Bearer ${genuine()}`]],
    ['as a proxy’s', () => [`Proxy-Authorization: Bearer ${genuine()}`]],
    ['behind a comma', () => [`Authorization: Bearer x, ${genuine()}`]],
  ]

  test.each(values)('%s', async (_, lines) => {
    const before = app.received.length
    for (const target of ['/app/x', '/echo/', '/']) {
      expect([302, 401, 403], target).toContain((await world.ask(target, { headers: lines() })).status)
    }
    expect(app.received).toHaveLength(before)
  })

  test('nor does a token in the query, a form or a cookie', async () => {
    const before = app.received.length
    for (const name of ['access_token', 'token', 'id_token', 'jwt', 'authorization']) {
      const statuses = [
        await world.ask(`/app/x?${name}=${tokens.proxy}`),
        await world.ask('/app/x', form({ [name]: tokens.proxy })),
        await world.ask('/app/x', { headers: [`Cookie: ${name}=${tokens.proxy}; Authorization=${tokens.proxy}`] }),
      ].map(({ status }) => status)
      for (const status of statuses) expect([302, 401, 403]).toContain(status)
    }
    expect(app.received).toHaveLength(before)
  })
})
