import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import type { Fetch } from '../../src/http/part.ts'
import { type Log, openLog } from '../../src/kit/log.ts'
import { systemRandom } from '../../src/kit/random.ts'
import { challengeOf } from '../../src/oauth/pkce.ts'
import type { CheckRequest } from '../../src/proxy/check.ts'
import { type ProxyConfig, proxyConfigSchema } from '../../src/proxy/config.ts'
import { openProxy, type ProxyPart } from '../../src/proxy/open-proxy.ts'
import { migrate } from '../../src/store/migrate.ts'
import { storeMigrations } from '../../src/store/migrations.ts'
import { openSqlRecords, type RecordTables } from '../../src/store/records.ts'
import { openSqlite } from '../../src/store/sqlite.ts'
import { publicJwk } from '../../src/tokens/jwk.ts'
import { signJwt } from '../../src/tokens/sign.ts'

export const origin = 'https://kubeflow.example.com'
export const issuer = 'http://dex.auth.svc:5556/dex'
export const kubeflowSecret = '7d16fee92f8d11b8940b081b3f8b8acb'

/** Kubeflow's settings. */
export const kubeflow = {
  client_id: 'kubeflow-oidc-authservice',
  client_secret: 'a client secret',
  oidc_issuer_url: issuer,
  skip_oidc_discovery: true,
  login_url: '/dex/auth',
  redeem_url: `${issuer}/token`,
  oidc_jwks_url: `${issuer}/keys`,
  scope: 'profile email groups openid',
  email_domains: ['*'],
  upstreams: ['static://200'],
  skip_auth_routes: ['^/dex/'],
  api_routes: ['/api/', '/apis/', '^/ml_metadata'],
  provider_display_name: 'Dex',
  set_authorization_header: true,
  set_xauthrequest: true,
  cookie_name: 'oauth2_proxy_kubeflow',
  cookie_secret: kubeflowSecret,
  cookie_expire: '24h',
  redirect_url: '/oauth2/callback',
  relative_redirect_url: true,
}

/** Claims of the account that signs in. */
export const ada = {
  sub: 'Cg0wLTM4NS0yODA4OS0wEgRtb2Nr',
  email: 'ada@example.com',
  email_verified: true,
  groups: ['ml', 'admins'],
  preferred_username: 'ada',
}

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const { privateKey: foreignKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })

/** Signs claims as the provider of these tests does; `key` for one it never published. */
export function sign(claims: Record<string, unknown>, key: KeyObject = privateKey): Promise<string> {
  return signJwt(claims, { kid: 'k1', alg: 'RS256', privateKey: key })
}
export { foreignKey }

/** The provider's published key, as a file would hold it. */
export const publicKeyPem: string = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString()

interface IssuedCode {
  readonly nonce: string | null
  readonly challenge: string | null
  readonly redirectUri: string | null
}

/** A small OpenID provider behind `fetch`, with knobs for what goes wrong. */
export interface TestProvider {
  fetch: Fetch
  /** Plays the user who signs in at the authorization URL: the callback the browser is sent to. */
  signIn(authorizationUrl: string): string
  /** Requests it got, `METHOD path`. */
  readonly requests: string[]
  readonly tokenRequests: URLSearchParams[]
  account: Record<string, unknown>
  accessToken: string | undefined
  profile: Record<string, unknown> | undefined
  tokenLifetime: number
  refreshTokens: boolean
  isDown: boolean
  endSession: boolean
  sendsNonce: boolean
  tamper: ((claims: Record<string, unknown>) => Record<string, unknown>) | undefined
}

export function openTestProvider(clock: { now(): number }): TestProvider {
  const codes = new Map<string, IssuedCode>()
  let serial = 0

  async function tokens(nonce: string | null): Promise<Response> {
    const now = Math.floor(clock.now() / 1000)
    const claims = { iss: issuer, aud: kubeflow.client_id, iat: now, exp: now + provider.tokenLifetime }
    const all = { ...claims, ...(nonce && provider.sendsNonce ? { nonce } : {}), ...provider.account }
    serial += 1
    return Response.json({
      access_token: provider.accessToken ?? `access-${serial}`,
      token_type: 'bearer',
      expires_in: provider.tokenLifetime,
      id_token: await sign(provider.tamper ? provider.tamper(all) : all),
      ...(provider.refreshTokens ? { refresh_token: `refresh-${serial}` } : {}),
    })
  }

  async function token(request: Request): Promise<Response> {
    const form = new URLSearchParams(await request.text())
    provider.tokenRequests.push(form)
    const credentials = Buffer.from(`${kubeflow.client_id}:${encodeURIComponent(kubeflow.client_secret)}`)
    if (request.headers.get('authorization') !== `Basic ${credentials.toString('base64')}`) {
      return Response.json({ error: 'invalid_client' }, { status: 401 })
    }
    if (form.get('grant_type') === 'refresh_token') {
      return provider.refreshTokens ? tokens(null) : Response.json({ error: 'invalid_grant' }, { status: 400 })
    }
    const code = codes.get(form.get('code') ?? '')
    codes.delete(form.get('code') ?? '')
    const isProven = code?.challenge === challengeOf(form.get('code_verifier') ?? '')
    if (!code || !isProven || form.get('redirect_uri') !== code.redirectUri) {
      return Response.json({ error: 'invalid_grant' }, { status: 400 })
    }
    return tokens(code.nonce)
  }

  const provider: TestProvider = {
    requests: [],
    tokenRequests: [],
    account: { ...ada },
    accessToken: undefined,
    profile: undefined,
    tokenLifetime: 86_400,
    refreshTokens: false,
    isDown: false,
    endSession: true,
    sendsNonce: true,
    tamper: undefined,
    async fetch(input, init) {
      const request = new Request(input, init)
      const path = request.url.replace(issuer, '')
      provider.requests.push(`${request.method} ${path}`)
      if (provider.isDown) throw new TypeError('connection refused')
      if (path === '/token') return token(request)
      if (path === '/keys') return Response.json({ keys: [publicJwk(privateKey, { kid: 'k1', alg: 'RS256' })] })
      if (path === '/userinfo') return Response.json(provider.profile ?? {})
      if (path !== '/.well-known/openid-configuration') return new Response('not found', { status: 404 })
      return Response.json({
        issuer,
        authorization_endpoint: `${issuer}/auth`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/keys`,
        userinfo_endpoint: `${issuer}/userinfo`,
        ...(provider.endSession ? { end_session_endpoint: `${issuer}/logout` } : {}),
      })
    },
    signIn(authorizationUrl) {
      const query = new URL(authorizationUrl, origin).searchParams
      serial += 1
      const code = `code-${serial}`
      const redirectUri = query.get('redirect_uri')
      codes.set(code, { nonce: query.get('nonce'), challenge: query.get('code_challenge'), redirectUri })
      const callback = new URL(redirectUri ?? '', origin)
      return `${callback.pathname}?${new URLSearchParams({ code, state: query.get('state') ?? '' })}`
    },
  }
  return provider
}

/** A browser's cookies, and requests with them. */
export class Browser {
  readonly cookies = new Map<string, string>()
  readonly #proxy: ProxyPart

  constructor(proxy: ProxyPart) {
    this.#proxy = proxy
  }

  get cookieHeader(): string {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  }

  /** A request to one of the proxy's own paths, or to any path over the proxy's own listener. */
  async get(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Response> {
    const all = { ...(this.cookies.size > 0 ? { cookie: this.cookieHeader } : {}), ...headers }
    const context = { requestId: 'r1', clientAddress: '10.0.0.9' }
    const response = await this.#proxy.fetch(new Request(`${origin}${path}`, { headers: all, method }), context)
    this.keep(response.headers.getSetCookie())
    return response
  }

  /** The decision about a request at its original path. */
  async check(path: string, request: Partial<CheckRequest> = {}) {
    const answer = await this.#proxy.check({
      method: 'GET',
      path,
      host: 'kubeflow.example.com',
      clientAddress: '10.0.0.9',
      requestId: 'r1',
      ...request,
      headers: { ...(this.cookies.size > 0 ? { cookie: this.cookieHeader } : {}), ...request.headers },
    })
    const pairs: [string, string][] = []
    for (let index = 0; index < answer.headers.length; index += 2) {
      pairs.push([answer.headers[index] ?? '', answer.headers[index + 1] ?? ''])
    }
    this.keep(pairs.filter(([name]) => name === 'set-cookie').map(([, value]) => value))
    return { ...answer, headers: Object.fromEntries(pairs) as Record<string, string>, pairs }
  }

  keep(setCookies: readonly string[]): void {
    for (const line of setCookies) {
      const [pair = ''] = line.split(';')
      const [name = '', value = ''] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]
      if (/; Max-Age=0(;|$)/.test(line)) this.cookies.delete(name)
      else this.cookies.set(name, value)
    }
  }
}

/** The proxy in front of the test provider, at a clock that stands still until told otherwise. */
export async function proxyWorld(settings: Record<string, unknown> = {}) {
  return proxyWorldOf(proxyConfigSchema.parse({ ...kubeflow, ...settings }))
}

/** The same for a configuration that is parsed already. */
export async function proxyWorldOf(config: ProxyConfig, { elsewhere }: { elsewhere?: Fetch } = {}) {
  const clock = { time: 1_700_000_000_000, now: () => clock.time }
  const database = openSqlite<RecordTables>(':memory:')
  await migrate(database, storeMigrations)
  const provider = openTestProvider(clock)
  const logged: string[] = []
  const log: Log = openLog({ level: 'debug', write: (line) => logged.push(line), now: clock.now })
  const records = openSqlRecords(database, clock)
  const fetch: Fetch = (input, init) => {
    const request = new Request(input, init)
    return elsewhere && !request.url.startsWith(issuer) ? elsewhere(request) : provider.fetch(request)
  }
  const open = () => openProxy({ config, records, clock, random: systemRandom, log, fetch })
  const proxy = open()
  const browser = new Browser(proxy)

  /** Starts a login and plays the user at the provider; the callback path, not yet followed. */
  async function begin(target = '/', client = browser): Promise<string> {
    const started = await client.get(`${config.proxy_prefix}/start?rd=${encodeURIComponent(target)}`)
    return provider.signIn(started.headers.get('location') ?? '')
  }

  async function signIn(target = '/', client = browser): Promise<Response> {
    return client.get(await begin(target, client))
  }

  return { clock, provider, proxy, browser, logged, records, begin, signIn, open, newBrowser: () => new Browser(proxy) }
}
