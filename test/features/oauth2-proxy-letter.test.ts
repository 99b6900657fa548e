import { existsSync, readFileSync, rmSync } from 'node:fs'
import { afterEach, expect, test } from 'vitest'
import { settleCommandLine } from '../../src/app/oauth2-proxy/command-line.ts'
import { systemClock } from '../../src/kit/clock.ts'
import { systemRandom } from '../../src/kit/random.ts'
import { parseProxyFlags } from '../../src/proxy/flags.ts'
import { openSessionCodec } from '../../src/proxy/sessions/session-codec.ts'
import { flagsWithout, type ProgramWorld, programWorld } from './oauth2-proxy-world.ts'
import { ada, proxyWorld } from './proxy-world.ts'

// What a comparison of some 80,000 answers with those of oauth2-proxy 7.15.3 has found to differ.

let world: ProgramWorld | undefined
afterEach(async () => {
  await world?.running.close()
  if (world && existsSync(world.directory)) rmSync(world.directory, { recursive: true })
  world = undefined
})

async function started(...[flags, options]: Parameters<typeof programWorld>) {
  const opened = await programWorld(flags, options)
  world = opened
  return opened
}

const secret = '0123456789abcdef0123456789abcdef'
const codec = openSessionCodec({
  ...{ name: '_oauth2_proxy', lifetimeSeconds: 604_800, clock: systemClock, random: systemRandom },
  keys: { secret, key: Buffer.from(secret, 'base64url') },
})
const cookieOf = (email: string, groups: readonly string[] = []) =>
  `_oauth2_proxy=${codec.seal({ createdAt: Date.now(), email, user: 'u-1', groups })}`

test('a group that is no ASCII is the same bytes beside a body and without one', async () => {
  const plain = [...flagsWithout('upstream'), '--upstream=static://200', '--set-xauthrequest=true']
  const { ask } = await started([], { plain })
  const headers = { cookie: cookieOf('ada@example.com', ['é']) }
  for (const path of ['/x', '/oauth2/auth']) {
    const { 'x-auth-request-groups': groups = '' } = (await ask(path, { headers })).headers
    expect(Buffer.from(String(groups), 'latin1').toString()).toBe('é')
  }
})

test('a static answer without a body says nothing of its type', async () => {
  const { ask } = await started([], { plain: [...flagsWithout('upstream'), '--upstream=static://204'] })
  const answer = await ask('/open/x')
  expect(answer.status).toBe(204)
  expect(answer.headers['content-type']).toBeUndefined()
})

test('robots are answered whatever their query', async () => {
  const { ask } = await started()
  expect(await ask('/robots.txt?x')).toMatchObject({ status: 200, text: 'User-agent: *\nDisallow: /\n' })
})

test('a path that cannot be decoded is a bad request, a query that cannot is not', async () => {
  const { ask } = await started()
  expect((await ask('/open/%zz')).status).toBe(400)
  expect((await ask('/open/x%')).status).toBe(400)
  expect((await ask('/open/x?%zz')).status).toBe(202)
})

test.each(['a b', 'a/b', 'a@b', 'é'])('a host that cannot be one is a bad request: %s', async (host) => {
  const { ask } = await started()
  expect((await ask('/open/x', { headers: { host } })).status).toBe(400)
})

test('there is no file but those of the pages', async () => {
  const { ask } = await started()
  expect(await ask('/oauth2/static/nothing')).toMatchObject({ status: 404, text: '404 page not found\n' })
})

test('a page and a refusal are kept by nobody, not by nginx either', async () => {
  const { ask } = await started()
  const kept = { 'cache-control': 'no-cache, no-store, must-revalidate, max-age=0', 'x-accel-expires': '0' }
  expect((await ask('/x')).headers).toMatchObject({ ...kept, 'x-content-type-options': 'nosniff' })
  expect((await ask('/oauth2/auth')).headers).toMatchObject({ 'x-content-type-options': 'nosniff' })
})

test('who was refused is in the log, and why', async () => {
  const { ask, end } = await started(['--email-domain=corp.org'], { plain: flagsWithout('email-domain') })
  const headers = { cookie: cookieOf('ada@example.com') }
  await ask('/x', { headers })
  await ask('/oauth2/auth', { headers })
  const lines = (await end()).split('\n')
  expect(lines.filter((line) => line.includes('[AuthFailure] session denied reason=email'))).toHaveLength(2)
  expect(lines.find((line) => line.includes('"/x" HTTP/1.1'))).toContain(' - ada@example.com [')
})

test('an API route is told by the path a trusted proxy forwards', async () => {
  const flags = ['--reverse-proxy', '--trusted-proxy-ip=127.0.0.1', '--api-route=^/api/']
  const { ask } = await started(flags)
  expect((await ask('/x', { headers: { 'x-forwarded-uri': '/api/v1' } })).status).toBe(401)
  expect((await ask('/x', { headers: { 'x-forwarded-uri': '/page' } })).status).toBe(403)
})

test('a trusted address is told that it is nobody', async () => {
  const { ask } = await started(['--trusted-ip=127.0.0.1'])
  expect(await ask('/oauth2/userinfo')).toMatchObject({ status: 200, text: '{}' })
})

test('a token that is not believed is told nothing, though a session comes with it', async () => {
  const { ask } = await started(['--skip-jwt-bearer-tokens', '--bearer-token-login-fallback=false'])
  const headers = { authorization: 'Bearer e30.e30.e30', cookie: cookieOf('ada@example.com') }
  for (const path of ['/oauth2/userinfo', '/oauth2/auth', '/x']) expect((await ask(path, { headers })).status).toBe(403)
})

test('a forwarded host leads back to what was asked for, where the proxy in front tells no path', async () => {
  const flags = ['--reverse-proxy', '--trusted-proxy-ip=127.0.0.1', '--whitelist-domain=pub.example']
  const { ask } = await started(flags)
  const headers = { 'x-forwarded-host': 'pub.example', 'x-forwarded-proto': 'https' }
  expect((await ask('/page?x=1', { headers })).text).toContain('value="https://pub.example/page?x=1"')
  const { 'x-forwarded-proto': _, ...noScheme } = headers
  expect((await ask('/page?x=1', { headers: noScheme })).text).toContain('value="/page?x=1"')
})

test('what userinfo says ends with its line', async () => {
  const { ask } = await started()
  const answer = await ask('/oauth2/userinfo', { headers: { cookie: cookieOf('ada@example.com') } })
  expect(answer.text).toBe('{"user":"u-1","email":"ada@example.com"}\n')
})

test.each([
  ['an origin', 'https://app.example', 'https://app.example/oauth2/callback'],
  ['an origin with a slash', 'https://app.example/', 'https://app.example/'],
  ['a URL', 'https://app.example/back', 'https://app.example/back'],
])('the redirect URI of %s', async (_, configured, sent) => {
  const { browser } = await proxyWorld({ redirect_url: configured, relative_redirect_url: false })
  const location = (await browser.get('/oauth2/start')).headers.get('location') ?? ''
  expect(new URL(location, 'http://x').searchParams.get('redirect_uri')).toBe(sent)
})

test.each([
  ['the former setting counts alone', { user_id_claim: 'sub' }, 'Cg0wLTM4NS0yODA4OS0wEgRtb2Nr'],
  ['but not beside the one that came after it', { user_id_claim: 'sub', oidc_email_claim: 'mail' }, 'ada@mail.example'],
])('whose address it is: %s', async (_, settings, email) => {
  const { browser, signIn, provider } = await proxyWorld(settings)
  provider.account = { ...ada, mail: 'ada@mail.example' }
  await signIn()
  expect((await browser.check('/x')).headers['x-auth-request-email']).toBe(email)
})

test('`rd` that takes the ID token along leads to the provider only', async () => {
  const signedOut = async (rd: string) => {
    const { browser, signIn } = await proxyWorld({ whitelist_domains: ['dex.auth.svc:5556', 'app.example'] })
    await signIn()
    return (await browser.get(`/oauth2/sign_out?rd=${encodeURIComponent(rd)}`)).headers.get('location')
  }
  expect(await signedOut('http://dex.auth.svc:5556/out?id_token_hint={id_token}')).toMatch(/id_token_hint=ey[\w-]+\./)
  expect(await signedOut('https://app.example/?t={id_token}')).not.toContain('ey')
})

const compat = { compat: true, code_challenge_method: 'S256' }

test('--compat: a sign-out leads where `rd` does, at once, from a form, too', async () => {
  const { browser, signIn, provider } = await proxyWorld(compat)
  await signIn()
  const answer = await browser.get('/oauth2/sign_out?rd=%2Fbye', {}, 'POST')
  expect([answer.status, answer.headers.get('location')]).toEqual([302, '/bye'])
  expect((await browser.get('/oauth2/sign_out')).headers.get('location')).toBe('/')
  expect(provider.requests.filter((request) => request.includes('logout'))).toEqual([])
  expect((await browser.check('/x')).status).toBe(403)
})

test('--compat: what the callback cannot use is 500, an error of the provider 403 whoever says so', async () => {
  const { browser } = await proxyWorld(compat)
  const statusOf = async (query: string) => (await browser.get(`/oauth2/callback${query}`)).status
  expect(await statusOf('')).toBe(500)
  expect(await statusOf('?code=x&state=y')).toBe(500)
  expect(await statusOf('?code=x&state=y:/')).toBe(403)
  expect(await statusOf('?error=server_error')).toBe(403)
})

test('--compat: who may not enter is signed out, and shown a page whatever they accept', async () => {
  const { ask } = await started(['--compat', '--allowed-group=nobody'])
  const answer = await ask('/x', { headers: { cookie: cookieOf('ada@example.com'), accept: 'application/json' } })
  expect([answer.status, answer.headers['content-type']]).toEqual([403, 'text/html; charset=utf-8'])
  expect(answer.headers['set-cookie']).toEqual(['_oauth2_proxy=; Path=/; Max-Age=0; HttpOnly; Secure'])
})

test('--compat: who may not enter gets no session at the sign-in', async () => {
  const { browser, signIn } = await proxyWorld({ ...compat, allowed_groups: ['nobody'] })
  expect((await signIn()).status).toBe(403)
  expect([...browser.cookies.keys()]).toEqual([])
})

test('--compat: a cookie that is no session is deleted; else it is left to the sign-in', async () => {
  const setCookies = async (settings: Record<string, unknown>) => {
    const { browser } = await proxyWorld(settings)
    const headers = { cookie: 'oauth2_proxy_kubeflow=junk' }
    return (await browser.get('/oauth2/auth', headers)).headers.getSetCookie()
  }
  expect(await setCookies(compat)).toEqual(['oauth2_proxy_kubeflow=; Path=/; Max-Age=0; HttpOnly; Secure'])
  expect(await setCookies({})).toEqual([])
})

test('--compat: on a skipped route an app is told who it is even if they may not enter', async () => {
  const flags = ['--allowed-group=nobody', '--set-xauthrequest']
  const headers = { cookie: cookieOf('ada@example.com') }
  const original = await started([...flags, '--compat'])
  expect((await original.ask('/open', { headers })).headers['x-auth-request-email']).toBe('ada@example.com')
  await original.end()
  const safe = await started(flags)
  expect((await safe.ask('/open', { headers })).headers['x-auth-request-email']).toBeUndefined()
})

test('--compat: redirects are told in HTML, too, and pages may be framed', async () => {
  const { ask } = await started(['--compat', '--skip-provider-button'])
  const unknown = await ask('/oauth2/sign_out?rd=%2Fa%3Fb%26c')
  expect(unknown.text).toBe('<a href="/a?b&amp;c">Found</a>.\n\n')
  expect(unknown.headers['content-type']).toBe('text/html; charset=utf-8')
  const page = await ask('/oauth2/callback')
  expect(page.status).toBe(500)
  expect(page.headers['x-frame-options']).toBeUndefined()
  expect(page.headers['content-security-policy']).toBeUndefined()
})

test('--compat: a path that is not clean is redirected though nothing is forwarded', async () => {
  const { ask } = await started(['--compat'])
  expect(await ask('/open//x')).toMatchObject({ status: 301, headers: { location: '/open/x' } })
  await world?.end()
  const safe = await started()
  expect((await safe.ask('/open//x')).status).toBe(202)
})

/** What a command line comes to: `start`, or the status it ends with. */
function outcomeOf(...flags: readonly string[]) {
  const argv = [...flagsWithout('none'), ...flags]
  const parsed = parseProxyFlags(argv)
  if (parsed.unknown.length > 0) return 2
  const readFile = (path: string) => readFileSync(path, 'utf8')
  const outcome = settleCommandLine({ argv, flags: parsed, variables: {}, readFile })
  return outcome.kind === 'end' ? outcome.status : outcome.kind
}

test.each([
  ['a relative redirect URI that is not named', 'start', ['--redirect-url=', '--relative-redirect-url']],
  ['a relative one that is a URL all the same', 'start', ['--relative-redirect-url']],
  ['issuers nobody asks for', 'start', ['--extra-jwt-issuers=x']],
  ['issuers that are none', 1, ['--extra-jwt-issuers=x', '--skip-jwt-bearer-tokens']],
  ['a secret and a file of it', 'start', ['--client-secret-file=/none']],
  ['cookies that end before they begin', 1, ['--cookie-expire=-1h']],
  ['a log nobody can write', 1, ['--logging-filename=/none/proxy.log']],
  ['a switch whose flag is a text, left empty', 'start', ['--google-use-organization-id=']],
  ['a switch whose flag is a text that is neither', 1, ['--google-use-organization-id=x']],
] as const)('%s: %s', (_, outcome, flags) => {
  expect(outcomeOf(...flags)).toBe(outcome)
})

test('a relative redirect URI that is not named is that of the prefix', async () => {
  const { browser } = await proxyWorld({ redirect_url: '', proxy_prefix: '/sso' })
  const location = (await browser.get('/sso/start')).headers.get('location') ?? ''
  expect(new URL(location, 'http://x').searchParams.get('redirect_uri')).toBe('/sso/callback')
})
