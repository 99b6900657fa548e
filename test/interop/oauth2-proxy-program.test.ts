import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../../src/kit/clock.ts'
import { systemRandom } from '../../src/kit/random.ts'
import { cookieKey } from '../../src/proxy/sessions/cookie-secret.ts'
import { openSessionCodec } from '../../src/proxy/sessions/session-codec.ts'
import { freePort } from '../world/programs.ts'
import { describeWith, type RunningProgram, startProgram } from './programs.ts'

const main = fileURLToPath(new URL('../../src/main.mjs', import.meta.url))
const secret = '0123456789abcdef0123456789abcdef'

/** One configuration by flags, variables and file for both programs, with a port and a log of their own. */
const toml = `provider = "oidc"
skip_oidc_discovery = "true"
oidc_issuer_url = "http://127.0.0.1:1/dex"
login_url = "/dex/auth"
redeem_url = "http://127.0.0.1:1/dex/token"
oidc_jwks_url = "http://127.0.0.1:1/dex/keys"
redirect_url = "/oauth2/callback"
relative_redirect_url = true
email_domains = "example.com"
upstreams = "static://202"
api_routes = ["^/api/"]
skip_auth_routes = ["GET=^/open"]
set_xauthrequest = true
set_authorization_header = true
exclude_logging_paths = "/open/quiet"
cookie_name = "shared"
cookie_secure = false
cookie_expire = "0s"
`
const env = {
  OAUTH2_PROXY_CLIENT_ID: 'id',
  OAUTH2_PROXY_CLIENT_SECRET: 'shh',
  OAUTH2_PROXY_COOKIE_SECRET: secret,
  OAUTH2_PROXY_EXTRA_JWT_ISSUERS: '',
}

interface Running {
  readonly program: RunningProgram
  readonly port: number
  readonly metricsPort: number
  readonly log: () => string
}

describeWith({ name: 'oauth2-proxy', from: 'github.com/oauth2-proxy/oauth2-proxy' }, (path) => {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-program-'))
  let theirs: Running
  let ours: Running

  async function start(name: string, command: string, args: readonly string[]): Promise<Running> {
    const [port, metricsPort] = [await freePort(), await freePort()]
    const file = join(directory, `${name}.cfg`)
    const log = join(directory, `${name}.log`)
    const flags = [
      ...[`--config=${file}`, `--http-address=http://127.0.0.1:${port}`, `--metrics-address=127.0.0.1:${metricsPort}`],
      ...[`--logging-filename=${log}`, '--logging-local-time=false', '--request-id-header=X-Trace'],
    ]
    writeFileSync(file, toml)
    const program = await startProgram(command, [...args, ...flags], { port, env })
    return { program, port, metricsPort, log: () => readFileSync(log, 'utf8') }
  }

  beforeAll(async () => {
    theirs = await start('theirs', path, [])
    ours = await start('ours', process.execPath, [main, 'oauth2-proxy'])
  })
  afterAll(async () => {
    await Promise.all([theirs?.program.stop(), ours?.program.stop()])
    rmSync(directory, { recursive: true })
  })

  const keys = { secret, key: cookieKey(secret) ?? Buffer.alloc(0) }
  const codec = openSessionCodec({ name: 'shared', keys, lifetimeSeconds: 0, clock: systemClock, random: systemRandom })
  const cookieOf = (email: string) =>
    `shared=${codec.seal({ createdAt: Date.now(), email, user: 'u-1', groups: ['a', 'b'], idToken: 'id.tok.en', preferredUsername: 'ada' })}`
  const ada = { cookie: cookieOf('ada@example.com') }

  const cases: readonly (readonly [what: string, path: string, headers: Headers, method: 'GET' | 'POST'])[] = [
    ['a session', '/notes?a=1', ada, 'GET'],
    ['no session at /oauth2/auth', '/oauth2/auth', {}, 'GET'],
    ['a session at /oauth2/auth', '/oauth2/auth', ada, 'GET'],
    ['a group the session has', '/oauth2/auth?allowed_groups=b,c', ada, 'GET'],
    ['a group it has not', '/oauth2/auth?allowed_groups=c', ada, 'GET'],
    ['an API route', '/api/v1', {}, 'GET'],
    ['JSON wanted', '/notes', { accept: 'application/json, text/plain' }, 'GET'],
    ['a skipped route', '/open/x', {}, 'GET'],
    ['a skipped route by another method', '/open/x', {}, 'POST'],
    ['a skipped route with a session', '/open/x', ada, 'GET'],
    ['userinfo', '/oauth2/userinfo', ada, 'GET'],
    ['ping', '/ping', {}, 'GET'],
    ['ping with a query', '/ping?x=1', {}, 'GET'],
    ['robots.txt', '/robots.txt', {}, 'GET'],
    ['a page for people', '/notes', {}, 'GET'],
  ]

  test.each(cases)('%s is answered alike', async (_what, path, headers, method) => {
    const [original, answer] = await Promise.all([
      ask(theirs.port, path, headers, method),
      ask(ours.port, path, headers, method),
    ])
    expect(answer).toMatchObject(original) // ours may say more, such as not to cache
  })

  test('a request is logged alike', async () => {
    const sent = { ...ada, 'x-trace': 't-1', 'user-agent': 'a "b" é', host: 'a.example' }
    const uris = ['/notes?q="1"', '/open/x', '/open/quiet?x', '/ping']
    for (const uri of uris) for (const { port } of [theirs, ours]) await ask(port, uri, sent, 'GET')
    const linesOf = ({ log }: Running) =>
      log()
        .split('\n')
        .filter((line) => line.includes(' - t-1 - '))
        .map((line) =>
          line
            .replace(/^127\.0\.0\.1:\d+/, 'CLIENT')
            .replace(/\[[\d/: ]+\]/, '[TIME]')
            .replace(/[\d.]+$/, 'TOOK'),
        )
    await expect.poll(() => linesOf(ours)).toHaveLength(3)
    expect(linesOf(ours)).toEqual(linesOf(theirs))
  })

  test('what is counted has the same names, labels and numbers', async () => {
    const seriesOf = async ({ metricsPort }: Running) => {
      const { body } = await ask(metricsPort, '/metrics', {}, 'GET')
      return body
        .split('\n')
        .filter((line) => /^oauth2_proxy_(?:requests|response_duration_seconds_count)/.test(line))
        .toSorted()
    }
    expect(await seriesOf(ours)).toEqual(await seriesOf(theirs))
  })
})

type Headers = Readonly<Record<string, string>>

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  /** Empty for a page. */
  readonly body: string
}

/** Headers that are the same thing said of every answer, or our own. */
const incidental = new Set([
  'date',
  'connection',
  'keep-alive',
  'transfer-encoding',
  'content-length',
  'x-content-type-options',
])

function ask(port: number, path: string, headers: Headers, method: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk) => {
        text += chunk
      })
      response.on('end', () => {
        const isPage = response.headers['content-type']?.startsWith('text/html') === true
        const told = Object.entries(response.headers).filter(([name]) => !incidental.has(name))
        resolve({
          status: response.statusCode ?? 0,
          headers: isPage ? { 'content-type': response.headers['content-type'] } : Object.fromEntries(told),
          body: isPage ? '' : text.trim(),
        })
      })
    })
    sent.on('error', reject).end()
  })
}
