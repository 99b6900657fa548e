import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/kit/clock.ts'
import { systemRandom } from '../../src/kit/random.ts'
import { cookieKey } from '../../src/proxy/sessions/cookie-secret.ts'
import { openSessionCodec } from '../../src/proxy/sessions/session-codec.ts'
import { freePort } from '../world/programs.ts'
import { describeWith, type RunningProgram, startProgram } from './programs.ts'
import { answerTo, type RawRequest } from './raw-answers.ts'

const main = fileURLToPath(new URL('../../src/main.mjs', import.meta.url))
const secret = '0123456789abcdef0123456789abcdef'
const codec = openSessionCodec({
  ...{ name: '_oauth2_proxy', lifetimeSeconds: 604_800, clock: systemClock, random: systemRandom },
  keys: { secret, key: cookieKey(secret) ?? Buffer.alloc(0) },
})

let serial = 0
/** A session of its own for each request: what one signs out, no other goes by. */
function sessionOf(given: { email?: string; groups?: readonly string[]; age?: number }): string {
  const { age = 0, ...claims } = given
  serial += 1
  return `_oauth2_proxy=${codec.seal({ createdAt: Date.now() - age - serial, user: 'u-1', ...claims })}`
}

const week = 7 * 86_400_000
const cookies: Readonly<Record<string, () => string>> = {
  nobody: () => '',
  ada: () => sessionOf({ email: 'ada@example.com', groups: ['a', 'b'] }),
  bob: () => sessionOf({ email: 'bob@corp.com' }),
  'who has no address': () => sessionOf({ groups: ['a'] }),
  'who came last week': () => sessionOf({ email: 'ada@example.com', age: week }),
  'a forger': () => '_oauth2_proxy=bm90aGluZw==|1700000000|bm90aGluZw==',
  'someone in parts': () => {
    const [name = '', text = ''] = sessionOf({ email: 'ada@example.com' }).split(/=(.*)/s)
    return `${name}_0=${text.slice(0, 99)}; ${name}_1=${text.slice(99)}`
  },
}

const paths = [
  ...['/', '/x', '/x?y=1', '/api/v1', '/open/x', '/a//b', '/a/../b', '/a%2Fb', '/oauth2', '/oauth2/nothing'],
  ...['/oauth2/auth', '/oauth2/auth/', '/oauth2//auth', '/OAUTH2/auth', '/oauth2/userinfo', '/oauth2/sign_in'],
  ...['/oauth2/sign_out', '/oauth2/start', '/oauth2/callback', '/oauth2/callback?code=x&state=y'],
  ...['/oauth2/callback?code=x&state=y:z', '/oauth2/callback?error=access_denied', '/oauth2/static/nothing'],
  ...['/robots.txt', '/robots.txt?x', '/ping', '/ping?x', '/ping/', '/ready', '/favicon.ico', '/%zz'],
  ...['groups=a', 'groups=z', 'groups=', 'groups=z,b', 'groups=z&allowed_groups=a', 'emails=bob@corp.com'].map(
    (constraint) => `/oauth2/auth?allowed_${constraint}`,
  ),
  ...['domains=example.com', 'domains=.com', 'domains=*.com', 'domains=*'].map(
    (constraint) => `/x?allowed_email_${constraint}`,
  ),
]
const targets = [
  ...['/page', '/page?x=1&y=%20', '/', '', '//evil.com', '/./\\evil.com', '/a//b', '/a?u=//x', '/a#frag', 'page'],
  ...['https://evil.com/', 'http://ok.example/x', 'https://ok.example:8443/', 'https://a.ok.example/'],
  ...['https://deep.sub.example/', 'https://badsub.example/', 'https://port.example:9000/x', 'https://port.example/'],
  ...[
    'https://any.example:1234/',
    'https://ok.example@evil.com',
    'https://ok.example\\.evil.com',
    'javascript:alert(1)',
  ],
]
const asking = targets.flatMap((target) =>
  ['/oauth2/start', '/oauth2/sign_in', '/oauth2/sign_out', '/x'].map(
    (path) => `${path}?rd=${encodeURIComponent(target)}`,
  ),
)

const sentHeaders: readonly (readonly [string, string])[] = [
  ['Accept', 'application/json'],
  ['Accept', 'text/html, application/json;q=0.9'],
  ['X-Forwarded-Proto', 'https'],
  ['X-Forwarded-Host', 'ok.example'],
  ['X-Forwarded-Host', 'evil.com'],
  ['X-Forwarded-Uri', '/deep?x=1'],
  ['X-Forwarded-Uri', '//evil.com'],
  ['X-Auth-Request-Redirect', '/fromheader'],
  ['X-Auth-Request-Redirect', 'https://evil.com'],
  ['X-Forwarded-For', '10.0.0.1'],
  ['X-Real-IP', '10.0.0.1'],
  ['X-Real-IP', 'junk'],
  ['X-Forwarded-User', 'admin'],
  ['X-Forwarded-Groups', 'root'],
  ['Authorization', 'Basic YWRhOmxvdmVsYWNl'],
  ['Authorization', 'Bearer e30.e30.e30'],
  ['User-Agent', 'HC/1'],
  ['Sec-Fetch-Mode', 'cors'],
  ['Sec-Fetch-Site', 'cross-site'],
  ['X-Requested-With', 'XMLHttpRequest'],
  ['Origin', 'https://evil.com'],
]

const requests = fc.record({
  method: fc.constantFrom('GET', 'GET', 'GET', 'HEAD', 'POST', 'OPTIONS', 'PUT', 'DELETE'),
  path: fc.oneof(fc.constantFrom(...paths), fc.constantFrom(...asking)),
  host: fc.constantFrom('app.example', 'app.example', 'app.example:8080', 'a.sub.example'),
  who: fc.constantFrom('nobody', ...Object.keys(cookies)),
  headers: fc.uniqueArray(fc.constantFrom(...sentHeaders), { selector: ([name]) => name, maxLength: 3 }),
})

const routes = ['--skip-auth-route=GET=^/open', '--skip-auth-route=POST!=^/(api|x|oauth2|open)', '--api-route=^/api']
const whitelist = ['ok.example', '.sub.example', 'port.example:9000', 'any.example:*'].map(
  (domain) => `--whitelist-domain=${domain}`,
)
const configurations: readonly (readonly [what: string, flags: readonly string[]])[] = [
  ['nothing more', []],
  ['routes', [...routes, '--skip-auth-preflight']],
  ['no sign-in page', ['--skip-provider-button', '--encode-state', ...routes]],
  ['JSON for all, and a group', ['--force-json-errors', '--allowed-group=b']],
  ['a group', ['--allowed-group=b', '--set-xauthrequest', ...routes]],
  ['domains', ['--email-domain=example.com', '--ping-user-agent=HC/1', '--ready-path=/oauth2/ready']],
  ['other hosts', [...whitelist, '--redirect-url=https://pub.example', '--prompt=login', '--acr-values=a b']],
  ['a proxy in front', ['--reverse-proxy', '--trusted-proxy-ip=127.0.0.1', '--trusted-ip=10.0.0.0/8', ...whitelist]],
  ['headers', ['--set-xauthrequest', '--pass-access-token', '--prefer-email-to-user', '--basic-auth-password=pw']],
  ['bearer tokens only', ['--skip-jwt-bearer-tokens', '--bearer-token-login-fallback=false', ...routes]],
  [
    'other cookies',
    ['--cookie-domain=.example', '--cookie-domain=sub.example', '--cookie-path=/p', '--cookie-samesite=strict'],
  ],
]

describeWith({ name: 'oauth2-proxy', from: 'github.com/oauth2-proxy/oauth2-proxy/releases' }, (program) => {
  let app: Server

  beforeAll(async () => {
    app = createServer((request, response) => {
      const identity = Object.entries(request.headers).filter(([name]) =>
        /^(?:x-forwarded|authorization|host$)/.test(name),
      )
      const text = JSON.stringify({ method: request.method, url: request.url, ...Object.fromEntries(identity.sort()) })
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': text.length, 'x-app': 'yes' })
      response.end(text)
    }).listen(0, '127.0.0.1')
    await once(app, 'listening')
  })
  afterAll(() => void app.close())

  async function startBoth(flags: readonly string[]): Promise<{ ports: number[]; programs: RunningProgram[] }> {
    const mail = flags.some((flag) => flag.startsWith('--email-domain')) ? [] : ['--email-domain=*']
    const all = [
      ...['--provider=oidc', '--skip-oidc-discovery', '--oidc-issuer-url=http://127.0.0.1:1', '--client-id=id'],
      ...['--login-url=https://id.example/authorize', '--redeem-url=http://127.0.0.1:1/token', '--client-secret=shh'],
      ...['--oidc-jwks-url=http://127.0.0.1:1/keys', `--cookie-secret=${secret}`, '--cookie-secure=false', ...mail],
      ...[`--upstream=http://127.0.0.1:${(app.address() as AddressInfo).port}`, ...flags], // it listens on a port
    ]
    const ports = [await freePort(), await freePort()]
    const commands = [[program], [process.execPath, main, 'oauth2-proxy', '--compat']]
    const programs = await Promise.all(
      commands.map(([command = '', ...args], index) => {
        const port = ports[index] ?? 0
        return startProgram(command, [...args, ...all, `--http-address=127.0.0.1:${port}`], { port })
      }),
    )
    return { ports, programs }
  }

  describe.each(configurations)('with %s', (_, flags) => {
    test('every request is answered alike', { timeout: 60_000 }, async () => {
      const { ports, programs } = await startBoth(flags)
      try {
        for (const { who, ...rest } of fc.sample(requests, { numRuns: 250, seed: 12 })) {
          const cookie = cookies[who]?.() ?? ''
          const headers = cookie === '' ? rest.headers : [...rest.headers, ['Cookie', cookie] as const]
          const request: RawRequest = { ...rest, headers }
          const [original, answer] = await Promise.all(ports.map((port) => answerTo(port, request)))
          expect(answer, JSON.stringify({ who, ...rest })).toEqual(original)
        }
      } finally {
        await Promise.all(programs.map((one) => one.stop()))
      }
    })
  })
})
