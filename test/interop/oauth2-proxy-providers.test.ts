import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../../src/kit/clock.ts'
import { openTestCloud, type Route, signAsCloud, type TestCloud } from '../world/cloud.ts'
import { freePort } from '../world/programs.ts'
import { openOAuth2Proxy } from './our-proxy.ts'
import { describeWith, startProgram } from './programs.ts'

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const keyFile = join(mkdtempSync(join(tmpdir(), 'login-gov-')), 'key.pem')
writeFileSync(keyFile, privateKey.export({ format: 'pem', type: 'pkcs1' }))

const tenant = 'https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0'
const account = { aud: 'our-id', sub: 'ada-1', email: 'ada@example.com', email_verified: true }

/** A cloud at an origin, and the flags that lead both proxies to it. */
interface ProviderCase {
  readonly kind: string
  flags(at: string): readonly string[]
  routes(at: string): Record<string, Route>
  /** Claims of the ID token beside the usual ones; absent where there is none. */
  readonly idClaims?: Record<string, unknown>
  /** Claims of the access token, where it is a JWT. */
  readonly accessClaims?: Record<string, unknown>
}

const json =
  (value: unknown): Route =>
  () =>
    Response.json(value)
const firstPage =
  (values: readonly unknown[]): Route =>
  (_, url) =>
    Response.json(url.searchParams.get('page') === '1' ? values : [])

const plain = (at: string, more: readonly string[] = []) => [
  `--login-url=${at}/authorize`,
  `--redeem-url=${at}/token`,
  ...more,
]
const discovered = (at: string, more: readonly string[] = []) => [`--oidc-issuer-url=${at}`, ...more]

const cases: readonly ProviderCase[] = [
  {
    kind: 'oidc',
    flags: (at) => discovered(at, ['--oidc-groups-claim=teams', '--prompt=login']),
    routes: (at) => ({ [`GET ${at}/userinfo`]: json({ sub: 'ada-1', preferred_username: 'ada' }) }),
    idClaims: { teams: ['ml', { id: 7 }] },
  },
  {
    kind: 'keycloak-oidc',
    flags: (at) => discovered(at, ['--allowed-role=app:edit']),
    routes: () => ({}),
    idClaims: { groups: ['/ml'] },
    accessClaims: { realm_access: { roles: ['dev'] }, resource_access: { app: { roles: ['edit'] } } },
  },
  {
    kind: 'keycloak',
    flags: (at) => plain(at, [`--validate-url=${at}/userinfo`, '--keycloak-group=ml']),
    routes: (at) => ({
      [`GET ${at}/userinfo`]: json({ email: 'ada@example.com', preferred_username: 'ada', groups: ['ml', '', 'ops'] }),
    }),
  },
  {
    kind: 'github',
    flags: (at) => plain(at, [`--validate-url=${at}/`, '--github-org=corp', '--github-team=ML,ops']),
    routes: (at) => ({
      [`GET ${at}/`]: json({}),
      [`GET ${at}/user`]: json({ login: 'ada' }),
      [`GET ${at}/user/emails`]: json([{ email: 'ada@example.com', primary: true, verified: true }]),
      [`GET ${at}/user/orgs`]: firstPage([{ login: 'corp' }, { login: 'lab' }]),
      [`GET ${at}/user/teams`]: firstPage([{ slug: 'ml', organization: { login: 'corp' } }]),
    }),
  },
  {
    kind: 'gitlab',
    flags: (at) => discovered(at, ['--gitlab-project=corp/models=30', '--gitlab-project=corp/none']),
    routes: (at) => ({
      [`GET ${at}/oauth/userinfo`]: json({
        nickname: 'ada',
        email: 'ada@example.com',
        email_verified: true,
        groups: ['corp'],
      }),
      [`GET ${at}/api/v4/projects/corp%2Fmodels`]: json({ permissions: { group_access: { access_level: 40 } } }),
    }),
    idClaims: {},
  },
  {
    kind: 'google',
    flags: (at) => plain(at, [`--validate-url=${at}/tokeninfo`, `--oidc-jwks-url=${at}/keys`]),
    routes: (at) => ({ [`GET ${at}/tokeninfo`]: json({}) }),
    idClaims: { iss: 'https://accounts.google.com' },
  },
  {
    kind: 'azure',
    flags: (at) => discovered(at, ['--resource=https://graph.example', `--validate-url=${at}/me`]),
    routes: (at) => ({ [`GET ${at}/me`]: json({}) }),
    idClaims: { groups: ['g1'] },
  },
  {
    kind: 'entra-id',
    flags: (at) => [
      ...plain(at, [`--oidc-issuer-url=${tenant}`, '--skip-oidc-discovery=true', `--oidc-jwks-url=${at}/keys`]),
      '--entra-id-allowed-tenant=11111111-2222-3333-4444-555555555555',
    ],
    routes: () => ({}),
    idClaims: { iss: tenant, groups: ['g1', 'g2'] },
  },
  {
    kind: 'adfs',
    flags: (at) => discovered(at, ['--resource=https://app.example']),
    routes: () => ({}),
    idClaims: { email: undefined, upn: 'ada@corp.example' },
  },
  {
    kind: 'cidaas',
    flags: (at) => discovered(at),
    routes: (at) => ({
      [`GET ${at}/userinfo`]: json({ sub: 'ada-1', groups: [{ groupId: 'ml', roles: ['USER'] }], roles: ['STAFF'] }),
    }),
    idClaims: {},
  },
  {
    kind: 'bitbucket',
    flags: (at) => plain(at, [`--validate-url=${at}/2.0/user/emails`, '--bitbucket-repository=corp/models']),
    routes: (at) => ({
      [`GET ${at}/2.0/user/emails`]: json({ values: [{ email: 'ada@example.com', is_primary: true }] }),
      [`GET ${at}/2.0/repositories/corp`]: json({ values: [{ full_name: 'corp/models' }] }),
    }),
  },
  {
    kind: 'digitalocean',
    flags: (at) => plain(at, [`--profile-url=${at}/account`, `--validate-url=${at}/account`]),
    routes: (at) => ({ [`GET ${at}/account`]: json({ account: { email: 'ada@example.com' } }) }),
  },
  {
    kind: 'facebook',
    flags: (at) => plain(at, [`--profile-url=${at}/me`, `--validate-url=${at}/me`]),
    routes: (at) => ({ [`GET ${at}/me`]: json({ email: 'ada@example.com' }) }),
  },
  {
    kind: 'linkedin',
    flags: (at) => plain(at, [`--profile-url=${at}/email`, `--validate-url=${at}/me`]),
    routes: (at) => ({
      [`GET ${at}/email`]: json({ elements: [{ 'handle~': { emailAddress: 'ada@example.com' } }] }),
      [`GET ${at}/me`]: json({}),
    }),
  },
  {
    kind: 'login.gov',
    flags: (at) =>
      plain(at, [
        `--profile-url=${at}/userinfo`,
        `--validate-url=${at}/userinfo`,
        `--pubjwk-url=${at}/keys`,
        `--jwt-key-file=${keyFile}`,
      ]),
    routes: (at) => ({ [`GET ${at}/userinfo`]: json({ email: 'ada@example.com', email_verified: true }) }),
    idClaims: { email: undefined, email_verified: undefined },
  },
  {
    kind: 'nextcloud',
    flags: (at) => plain(at, [`--validate-url=${at}/ocs`]),
    routes: (at) => ({
      [`GET ${at}/ocs`]: json({ ocs: { data: { id: 'ada', email: 'ada@example.com', groups: ['ml'] } } }),
    }),
  },
  {
    kind: 'sourcehut',
    flags: (at) => plain(at, [`--profile-url=${at}/query`, `--validate-url=${at}/profile`]),
    routes: (at) => ({
      [`POST ${at}/query`]: json({ data: { me: { username: 'ada', email: 'ada@example.com' } } }),
      [`GET ${at}/profile`]: json({}),
    }),
  },
]

/** What a proxy asks the provider for, and who it says has signed in. */
interface SignedIn {
  readonly asked: Record<string, string>
  readonly identity: Record<string, string>
}

describeWith({ name: 'oauth2-proxy', from: 'github.com/oauth2-proxy/oauth2-proxy' }, (program) => {
  let server: Server
  let at = ''
  let cloud: TestCloud

  beforeAll(async () => {
    server = createServer(async (request, response) => {
      const body = Buffer.concat(await request.toArray())
      const { method = 'GET', url = '/', headers } = request
      const init = { method, headers: headers as Record<string, string>, ...(body.length > 0 ? { body } : {}) }
      const answer = await cloud.fetch(at + url, init)
      response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text())
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    at = `http://127.0.0.1:${(server.address() as AddressInfo).port}` // listens on a port
  })
  afterAll(() => {
    server.closeAllConnections()
    server.close()
  })

  async function openCloud({ kind, routes, idClaims, accessClaims }: ProviderCase): Promise<void> {
    const now = Math.floor(Date.now() / 1000)
    const accessToken = accessClaims && (await signAsCloud({ iss: at, exp: now + 3600, ...accessClaims }))
    cloud = openTestCloud({
      clock: systemClock,
      tokenUrl: `${at}/token`,
      jwksUrl: `${at}/keys`,
      idClaims: idClaims && { iss: kind === 'login.gov' ? `${at}/` : at, ...account, ...idClaims },
      tokens: { expires_on: String(now + 3600), ...(accessToken === undefined ? {} : { access_token: accessToken }) },
      routes: {
        [`GET ${at}/.well-known/openid-configuration`]: json({
          issuer: at,
          authorization_endpoint: `${at}/authorize`,
          token_endpoint: `${at}/token`,
          jwks_uri: `${at}/keys`,
          userinfo_endpoint: `${at}/userinfo`,
          id_token_signing_alg_values_supported: ['RS256'],
        }),
        [`GET ${at}/userinfo`]: json({ sub: 'ada-1' }), // the original fails without one
        ...routes(at),
      },
    })
  }

  /** Signs in: `get` asks a proxy and keeps its cookies. */
  async function signIn(kind: string, get: (path: string) => Promise<Response>): Promise<SignedIn> {
    const location = new URL((await get('/oauth2/start?rd=/')).headers.get('location') ?? '')
    const { state = '', nonce, ...rest } = Object.fromEntries(location.searchParams)
    // PKCE is always ours to send; an empty parameter says nothing.
    const isAsked = ([name, value]: [string, string]) => !name.startsWith('code_challenge') && value !== ''
    const asked = Object.fromEntries(Object.entries(rest).filter(isAsked))
    cloud.nonce = nonce
    const answered = kind === 'adfs' ? decodeURIComponent(state) : state
    const back = await get(`/oauth2/callback?${new URLSearchParams({ code: 'good-code', state: answered })}`)
    expect([back.status, back.headers.get('location')]).toEqual([302, '/'])
    const { status, headers } = await get('/oauth2/auth')
    expect(status).toBe(202)
    const identity = [...headers].filter(([name]) => name.startsWith('x-auth-request-'))
    return { asked, identity: Object.fromEntries(identity) }
  }

  test.each(cases)('$kind: the same is asked for, and the same user comes out', async (one) => {
    await openCloud(one)
    const port = await freePort()
    const origin = `http://127.0.0.1:${port}`
    const flags = [
      ...[`--provider=${one.kind}`, '--client-id=our-id', '--client-secret=our-secret', '--email-domain=*'],
      ...['--cookie-secret=Fq7b4uIcRAZfS9wGtu1uJ4z0E1o2kQ0Wb1r3m5t8y6A=', '--cookie-secure=false'],
      ...['--upstream=static://200', '--set-xauthrequest=true', `--redirect-url=${origin}/oauth2/callback`],
      ...[`--http-address=127.0.0.1:${port}`, ...one.flags(at)],
    ]
    const original = await startProgram(program, flags, { port, env: { NO_PROXY: '*' } })
    let theirs: SignedIn
    try {
      theirs = await signIn(
        one.kind,
        withCookies((path, init) => fetch(origin + path, init)),
      )
    } finally {
      await original.stop()
    }
    const ours = await signIn(one.kind, withCookies(await openOAuth2Proxy(flags)))
    expect(ours.asked).toEqual(theirs.asked)
    expect(ours.identity).toMatchObject(theirs.identity)
  })
})

/** Sends requests with the cookies that came with earlier answers. */
function withCookies(
  send: (path: string, init: RequestInit) => Promise<Response>,
): (path: string) => Promise<Response> {
  const cookies = new Map<string, string>()
  return async (path) => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await send(path, { redirect: 'manual', headers: { cookie } })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (value === '') cookies.delete(name)
      else cookies.set(name, value)
    }
    return response
  }
}
