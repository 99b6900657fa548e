import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import Provider, { type Configuration } from 'oidc-provider'
import type { Note } from '../../src/demo/note-shelf.ts'
import { openNotes } from '../../src/demo/notes.ts'
import type { Fetch } from '../../src/http/part.ts'
import { systemClock } from '../../src/kit/clock.ts'
import { type Log, silentLog } from '../../src/kit/log.ts'
import { openSqlRecords } from '../../src/store/records.ts'
import { testDatabase } from '../world/database.ts'
import { httpClient } from '../world/http-client.ts'
import { seededRandom } from '../world/random.ts'

/** The address of the notes app in every test. */
export const notesUrl = 'http://localhost:8080/notes'

const redirectUri = `${notesUrl}/callback`
const groups: Readonly<Record<string, readonly string[]>> = { ada: ['/kubeflow-user', '/team/ml'], bob: [] }

/** An independent OpenID provider (node-oidc-provider) on a loopback port; any password signs in. */
export async function openProvider({ client = {}, ...more }: Configuration & { client?: object } = {}) {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const server = createServer((request, response) => provider.callback()(request, response))
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const issuer = `http://localhost:${(server.address() as AddressInfo).port}`
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: 'notes',
        client_secret: 'notes:secret',
        redirect_uris: [redirectUri],
        post_logout_redirect_uris: [`${notesUrl}/signed-out`],
        ...client,
      },
    ],
    scopes: ['openid', 'groups'],
    claims: { openid: ['sub'], email: ['email'], profile: ['name'], groups: ['groups'] },
    findAccount: (_context: unknown, accountId: string) => ({
      accountId,
      claims: () => ({
        sub: accountId,
        email: `${accountId}@example.com`,
        groups: groups[accountId] ?? many(accountId),
      }),
    }),
    pkce: { required: () => true },
    cookies: { keys: ['of a test'] },
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig' }] },
    ...more,
  })
  return {
    issuer,
    provider,
    close: () =>
      new Promise<void>((closed) => {
        server.close(() => closed())
        server.closeAllConnections()
      }),
  }
}

/** `many-300` is in 300 groups. */
function many(accountId: string): readonly string[] {
  const count = Number(/^many-(\d+)$/.exec(accountId)?.[1] ?? 0)
  return Array.from({ length: count }, (_, index) => `/departments/research/team-${index}`)
}

/** A notes app, with its store and a browser that reaches the app in-process and the provider over loopback. */
export async function notesWorld(
  issuer: string,
  {
    publicUrl = notesUrl,
    fetch: fetcher = fetch,
    log = silentLog,
  }: { publicUrl?: string; fetch?: Fetch; log?: Log } = {},
) {
  let ahead = 0
  let starts = 0
  const clock = { now: () => systemClock.now() + ahead }
  const database = await testDatabase()
  const records = openSqlRecords(database, clock)
  const collections = {
    notes: records.collection<readonly Note[]>('notes'),
    endedSessions: records.collection<number>('ended'),
    usedLogoutTokens: records.collection<true>('used'),
  }
  const options = { publicUrl, issuer, clientId: 'notes', clientSecret: 'notes:secret', stateSecret: 'sealed' }
  const open = () =>
    openNotes({ ...options, ...collections, fetch: fetcher, clock, random: seededRandom(`start ${starts++}`), log })
  let app = open()
  const context = { requestId: 'req-9', clientAddress: '127.0.0.1' }
  const toApp = async (url: string, init: RequestInit) => app.fetch(new Request(url, init), context)
  const browse = () =>
    httpClient((url, init) => (url.startsWith('http://localhost:8080/') ? toApp(url, init) : fetch(url, init)))

  return {
    /** A request that no browser sends. */
    call: toApp,
    browse,
    browser: browse(),
    /** The clock moves on. */
    advance: (milliseconds: number) => {
      ahead += milliseconds
    },
    /** The app stops and starts again: only the store and the secrets remain. */
    restart: () => {
      app = open()
    },
  }
}

/** A browser of a test. */
export type Browser = ReturnType<Awaited<ReturnType<typeof notesWorld>>['browse']>
type Arrival = Awaited<ReturnType<Browser['follow']>>

/** Signs in on the provider's pages and lands wherever the app sends one. */
export async function signIn(browser: Browser, url: string, login = 'ada'): Promise<Arrival> {
  const arrival = await browser.follow(url)
  return arrival.text.includes('name="password"') ? passLogin(browser, arrival, login) : arrival
}

/** The same from the provider's login page on. */
export async function passLogin(browser: Browser, loginPage: Arrival, login = 'ada'): Promise<Arrival> {
  const consent = await browser.submit(loginPage, { login, password: 'x' })
  return consent.text.includes('value="consent"') ? browser.submit(consent, {}) : consent
}

/** The CSRF token of a page of the app. */
export function csrfOf(markup: string): string {
  return /name="csrf" value="([^"]+)"/.exec(markup)?.[1] ?? ''
}

/** Sends a form of the app. */
export function post(browser: Browser, path: string, fields: Readonly<Record<string, string>>): Promise<Arrival> {
  return browser.follow(`${notesUrl}${path}`, { method: 'POST', body: new URLSearchParams(fields) })
}
