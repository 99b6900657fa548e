import type { Kysely } from 'kysely'
import type { Fetch, Part } from '../../src/http/part.ts'
import { type Log, type LogFields, silentLog } from '../../src/kit/log.ts'
import { systemRandom } from '../../src/kit/random.ts'
import { type RealmConfig, realmRepresentationSchema } from '../../src/realm/config.ts'
import { realmMigrations } from '../../src/realm/migrations.ts'
import { openRealm } from '../../src/realm/open-realm.ts'
import type { PasswordHasher } from '../../src/realm/passwords/hash-password.ts'
import type { RealmTables } from '../../src/realm/tables.ts'
import { openSqlRecords, type RecordTables } from '../../src/store/records.ts'
import { type TestClock, testClock } from '../world/clock.ts'
import { testDatabase } from '../world/database.ts'
import { httpClient } from '../world/http-client.ts'

/** A realm as small as a test needs: two users in groups, a confidential client `app` and a public one `spa`. */
export const smallRealm = {
  realm: 'kubeflow',
  displayName: 'Kubeflow',
  groups: [{ name: 'team', subGroups: [{ name: 'sub' }] }, { name: 'admins' }],
  roles: { realm: [{ name: 'pk-user' }], client: { app: [{ name: 'editor' }] } },
  users: [
    {
      id: '11111111-1111-4111-8111-111111111111',
      username: 'Ada',
      email: 'ada@example.com',
      emailVerified: true,
      firstName: 'Ada',
      lastName: 'Lovelace',
      groups: ['/team/sub', '/admins'],
      credentials: [{ type: 'password', value: 'correct horse' }],
    },
    { username: 'bob', email: 'bob@example.com', credentials: [{ type: 'password', value: 'battery staple' }] },
  ],
  clients: [
    {
      id: '22222222-2222-4222-8222-222222222222',
      clientId: 'app',
      name: 'The app',
      secret: 'app-secret',
      redirectUris: ['https://app.example.com/callback', 'https://app.example.com/other/*'],
      webOrigins: ['+'],
      directAccessGrantsEnabled: true,
      serviceAccountsEnabled: true,
      attributes: { 'post.logout.redirect.uris': 'https://app.example.com/bye' },
    },
    { clientId: 'spa', publicClient: true, redirectUris: ['https://spa.example.com/cb'] },
  ],
}

/** A log line as a test sees it. */
export interface LogLine {
  readonly message: string
  readonly fields: LogFields
}

function recordingLog(lines: LogLine[], base: LogFields = {}): Log {
  const add = (message: string, fields?: LogFields) => void lines.push({ message, fields: { ...base, ...fields } })
  return {
    ...silentLog,
    debug: add,
    info: add,
    warn: add,
    error: add,
    with: (more) => recordingLog(lines, { ...base, ...more }),
  }
}

export interface RealmWorldOptions {
  /** Reaches clients; nobody answers unless given. */
  readonly fetch?: Fetch
  readonly realm?: object
  readonly publicUrl?: string
  readonly rotation?: NonNullable<RealmConfig['rotation']>
  readonly hasher?: PasswordHasher
  readonly clock?: TestClock
  /** A database file, so that a world can be closed and opened again; in memory otherwise. */
  readonly file?: string
}

/** An open realm part with everything around it. */
export async function realmWorld({
  realm = smallRealm,
  publicUrl = 'https://id.example.com/auth',
  rotation,
  hasher,
  fetch = async () => new Response(null, { status: 503 }),
  clock = testClock(),
  file = ':memory:',
}: RealmWorldOptions = {}) {
  const database = await testDatabase<RealmTables>({ file, migrations: realmMigrations })
  const records = openSqlRecords(database as unknown as Kysely<RecordTables>, clock)
  const lines: LogLine[] = []
  const representation = realmRepresentationSchema.parse(realm)
  const part = await openRealm({
    config: { publicUrl, realms: [representation], ...(rotation ? { rotation } : {}) },
    database,
    records,
    clock,
    random: systemRandom,
    log: recordingLog(lines),
    fetch,
    stateSecret: 'the same after a restart',
    ...(hasher ? { hasher } : {}),
  })
  const issuer = `${publicUrl}/realms/${representation.realm}`
  return {
    part,
    issuer,
    oidc: `${issuer}/protocol/openid-connect`,
    clock,
    database: database as unknown as Kysely<RealmTables>,
    lines,
    browser: (address = '192.0.2.1') => openBrowser(part, address),
    async close() {
      await part.close?.()
      await database.destroy()
    },
  }
}

export type RealmWorld = Awaited<ReturnType<typeof realmWorld>>

/** A scripted client at an address: keeps cookies, follows nothing by itself. */
export function openBrowser(part: Part, address: string) {
  const client = httpClient(async (url, init) =>
    part.fetch(new Request(url, init), { requestId: 'request-1', clientAddress: address }),
  )
  return {
    ...client,
    fetch: (url: string, init?: RequestInit) => client.send(url, init),
    post: (url: string, form: Record<string, string> | URLSearchParams, headers: Record<string, string> = {}) =>
      client.send(url, { method: 'POST', body: new URLSearchParams(form), headers }),
  }
}

export type Browser = ReturnType<typeof openBrowser>

/** The URL a script finds in a page's form: `action`, unescaped. */
export async function formAction(page: Response): Promise<string> {
  const action = /<form[^>]* action="([^"]*)"/.exec(await page.text())?.[1]
  if (action === undefined) throw new Error('the page has no form')
  return action.replaceAll('&amp;', '&')
}

const defaults = {
  response_type: 'code',
  client_id: 'app',
  redirect_uri: 'https://app.example.com/callback',
  scope: 'openid',
  state: 's1',
}

/** An authorization URL of `app`; a parameter set to `undefined` is left out. */
export function authUrl(world: RealmWorld, parameters: Record<string, string | undefined> = {}): string {
  const entries = Object.entries({ ...defaults, ...parameters }).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  )
  return `${world.oidc}/auth?${new URLSearchParams(entries)}`
}

/** Signs a user in and returns the redirect back to the client. */
export async function signIn(
  world: RealmWorld,
  browser: Browser,
  {
    username = 'ada',
    password = 'correct horse',
    ...parameters
  }: Record<string, string | undefined> & { username?: string; password?: string } = {},
): Promise<URL> {
  const page = await browser.fetch(authUrl(world, parameters))
  const answer = await browser.post(await formAction(page), { username, password })
  const location = answer.headers.get('location')
  if (location === null) throw new Error(`no redirect after the login: ${answer.status} ${await answer.text()}`)
  return new URL(location)
}

const basic = `Basic ${Buffer.from('app:app-secret').toString('base64')}`

/** Posts to the token endpoint as `app`; a field set to `undefined` is left out. */
export async function postToken(
  world: RealmWorld,
  form: Record<string, string | undefined>,
  headers: Record<string, string> = { authorization: basic },
): Promise<Response> {
  const entries = Object.entries(form).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return world.browser().post(`${world.oidc}/token`, new URLSearchParams(entries), headers)
}

export interface Tokens {
  readonly access_token: string
  readonly refresh_token: string
  readonly id_token: string
  readonly [name: string]: unknown
}

/** Redeems the code of a redirect as `app`. */
export async function redeem(world: RealmWorld, redirect: URL): Promise<Tokens> {
  const code = redirect.searchParams.get('code') ?? ''
  const redirect_uri = `${redirect.origin}${redirect.pathname}`
  const response = await postToken(world, { grant_type: 'authorization_code', code, redirect_uri })
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
  return (await response.json()) as Tokens
}

/** A JWT's claims, unverified. */
export function claimsOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>
}
