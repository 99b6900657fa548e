import { type BrokerConfig, brokerConfigSchema } from '../../src/broker/config.ts'
import { openBroker } from '../../src/broker/open-broker.ts'
import type { Fetch, Part } from '../../src/http/part.ts'
import type { Clock } from '../../src/kit/clock.ts'
import { type Log, silentLog } from '../../src/kit/log.ts'
import { systemRandom } from '../../src/kit/random.ts'
import { migrate } from '../../src/store/migrate.ts'
import { storeMigrations } from '../../src/store/migrations.ts'
import { openSqlRecords, type RecordTables } from '../../src/store/records.ts'
import { openSigningKeys, type SigningKeyTables } from '../../src/store/signing-keys.ts'
import { openSqlite } from '../../src/store/sqlite.ts'

export const issuer = 'http://dex.auth.svc.cluster.local:5556/dex'
/** Of the word `password`, cost 10. */
export const passwordHash = '$2b$10$cHySCkI9OTDvZA5x1KRM6OxXg9zCeMw4dswTaaoJJIffCpfihWiS6'

export const user = {
  email: 'user@example.com',
  hash: passwordHash,
  username: 'user',
  name: 'User Example',
  preferredUsername: 'user1',
  userID: '15841185641784',
  groups: ['team-a', 'team-b/sub'],
}
export const proxyClient = {
  id: 'kubeflow-oidc-authservice',
  secret: 'proxy-secret',
  name: 'Dex Login Application',
  redirectURIs: ['/oauth2/callback'],
}

/** A clock that stands still until it is told to move. */
export interface TestClock extends Clock {
  advance(milliseconds: number): void
}

export function testClock(start = Date.UTC(2026, 0, 15, 12)): TestClock {
  let now = start
  return {
    now: () => now,
    advance(milliseconds) {
      now += milliseconds
    },
  }
}

/** A broker over an empty in-memory database, and what it was opened with. */
export interface World {
  readonly broker: Part
  readonly clock: TestClock
  readonly countRecords: () => Promise<number>
  /** A second broker over the same database and secret: another replica, or this one after a restart. */
  reopen(config?: Record<string, unknown>): Promise<Part>
}

/** `config` lies over Kubeflow's stock configuration. */
export async function openWorld(
  config: Record<string, unknown> = {},
  { clock = testClock(), fetch = noNetwork, log = silentLog }: { clock?: TestClock; fetch?: Fetch; log?: Log } = {},
): Promise<World> {
  const database = openSqlite<RecordTables & SigningKeyTables>(':memory:')
  await migrate(database, storeMigrations)
  const records = openSqlRecords(database, clock)
  const open = (more: Record<string, unknown> = {}) =>
    openBroker({
      config: brokerConfig({ ...config, ...more }),
      records,
      signingKeys: openSigningKeys(database, 'broker'),
      clock,
      random: systemRandom,
      log,
      fetch,
      stateSecret: 'a secret that is the same after a restart',
    })
  return {
    broker: await open(),
    clock,
    async countRecords() {
      const row = await database
        .selectFrom('records')
        .select(({ fn }) => fn.countAll<number>().as('count'))
        .executeTakeFirstOrThrow()
      return Number(row.count)
    },
    reopen: open,
  }
}

export function brokerConfig(config: Record<string, unknown>): BrokerConfig {
  return brokerConfigSchema.parse({
    issuer,
    oauth2: { skipApprovalScreen: true },
    enablePasswordDB: true,
    staticPasswords: [user],
    staticClients: [proxyClient],
    ...config,
  })
}

async function noNetwork(): Promise<Response> {
  throw new TypeError('this test has no network')
}

/** A browser, or `requests.Session()`: keeps cookies by path and follows redirects within one part. */
export interface Browser {
  get(path: string, headers?: Record<string, string>): Promise<Response>
  post(path: string, form: Record<string, string>, headers?: Record<string, string>): Promise<Response>
  /** Follows `Location` while it stays under `within`; returns where it ended. */
  follow(path: string, within?: string): Promise<{ response: Response; path: string; trail: string[] }>
  readonly cookies: Map<string, string>
}

const origin = 'https://kubeflow.example.com'

export function openBrowser(broker: Part, { address = '192.0.2.1' }: { address?: string } = {}): Browser {
  const cookies = new Map<string, string>()
  const send = async (path: string, init: RequestInit): Promise<Response> => {
    const headers = new Headers(init.headers)
    if (cookies.size > 0) headers.set('cookie', [...cookies].map(([name, value]) => `${name}=${value}`).join('; '))
    const request = new Request(new URL(path, origin), { ...init, headers })
    const response = await broker.fetch(request, { requestId: 'test', clientAddress: address })
    for (const cookie of response.headers.getSetCookie()) {
      const [pair = ''] = cookie.split(';')
      const name = pair.slice(0, pair.indexOf('='))
      if (/Max-Age=0/.test(cookie)) cookies.delete(name)
      else cookies.set(name, pair.slice(name.length + 1))
    }
    return response
  }
  const get: Browser['get'] = (path, headers = {}) => send(path, { headers })
  return {
    cookies,
    get,
    post: (path, form, headers = {}) => send(path, { method: 'POST', headers, body: new URLSearchParams(form) }),
    async follow(path, within = '/dex/') {
      const trail: string[] = []
      let at = path
      for (;;) {
        const response = await get(at)
        const location = response.headers.get('location')
        if (location === null || !location.startsWith(within)) return { response, path: at, trail }
        trail.push(location)
        at = location
      }
    },
  }
}

/** The query of an authorization request as Kubeflow's stock oauth2-proxy sends it. */
export function authPath(parameters: Record<string, string> = {}, path = '/dex/auth'): string {
  const query = new URLSearchParams({
    client_id: proxyClient.id,
    redirect_uri: '/oauth2/callback',
    response_type: 'code',
    scope: 'openid profile email groups offline_access',
    state: 'proxy-state',
    ...parameters,
  })
  return `${path}?${query}`
}

/** Signs `user` in by the password page and returns the code the client was given. */
export async function signIn(
  browser: Browser,
  parameters: Record<string, string> = {},
  { login = user.email, password = 'password' } = {},
): Promise<string> {
  const { path } = await browser.follow(authPath(parameters, '/dex/auth/local'))
  const answer = await browser.post(path, { login, password })
  const location = answer.headers.get('location') ?? ''
  return new URL(location, origin).searchParams.get('code') ?? ''
}

/** Redeems at the token endpoint as the stock client. */
export function tokenRequest(
  broker: Part,
  form: Record<string, string>,
  { id, secret }: { id: string; secret: string } = proxyClient,
): Promise<Response> {
  const request = new Request(`${issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` },
    body: new URLSearchParams(form),
  })
  return Promise.resolve(broker.fetch(request, { requestId: 'test', clientAddress: '192.0.2.9' }))
}

export interface TokenBody {
  access_token: string
  token_type: string
  expires_in: number
  refresh_token?: string
  id_token: string
}

export async function redeem(broker: Part, code: string, more: Record<string, string> = {}): Promise<TokenBody> {
  const form = { grant_type: 'authorization_code', code, redirect_uri: '/oauth2/callback', ...more }
  const response = await tokenRequest(broker, form)
  if (response.status !== 200) throw new Error(`token endpoint: ${response.status} ${await response.text()}`)
  return (await response.json()) as TokenBody
}

/** The claims of a token, unverified. */
export function claimsOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>
}
