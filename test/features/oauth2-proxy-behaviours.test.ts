import { describe, expect, test } from 'vitest'
import { settleCommandLine } from '../../src/app/oauth2-proxy/command-line.ts'
import { parseProxyFlags } from '../../src/proxy/flags.ts'
import type { Session } from '../../src/proxy/session.ts'
import { cookieKey } from '../../src/proxy/sessions/cookie-secret.ts'
import { openSessionCodec } from '../../src/proxy/sessions/session-codec.ts'
import { testClock } from '../world/clock.ts'
import { seededRandom } from '../world/random.ts'
import { flagsWithout } from './oauth2-proxy-world.ts'
import { kubeflow, kubeflowSecret, origin, proxyWorld } from './proxy-world.ts'

// What oauth2-proxy's own tests ask of it, asked of us (oauthproxy_test.go, pkg/middleware, pkg/cookies,
// pkg/validation); `proxy-*.test.ts` hold the rest.

const name = kubeflow.cookie_name
const startOfTime = 1_700_000_000_000

/** A cookie of a session oauth2-proxy may have made. */
function cookieOf(session: Partial<Session>): string {
  const keys = { secret: kubeflowSecret, key: cookieKey(kubeflowSecret) ?? Buffer.alloc(0) }
  const codec = openSessionCodec({
    ...{ name, keys, lifetimeSeconds: 0, clock: testClock(startOfTime), random: seededRandom() },
  })
  return `${name}=${codec.seal({ createdAt: startOfTime, ...session })}`
}

test('encoded slashes are part of a path, which is not cleaned before it is judged', async () => {
  const { browser, signIn } = await proxyWorld()
  expect((await browser.get('/%2F/test1/%2F/test2')).status).toBe(403)
  expect((await browser.check('/%2F/test1/%2F/test2')).status).toBe(403)
  await signIn()
  expect((await browser.get('/%2F/test1/%2F/test2')).status).toBe(200)
})

test('a cookie of 25 hours is too old for a day, at every endpoint', async () => {
  const { browser, signIn, clock } = await proxyWorld()
  await signIn()
  clock.time += 25 * 3_600_000
  const headers = { cookie: browser.cookieHeader }
  expect((await browser.get('/oauth2/auth', headers)).status).toBe(401)
  expect((await browser.get('/oauth2/userinfo', headers)).status).toBe(401)
  expect((await browser.check('/x', { headers })).status).toBe(403)
})

describe('groups that a query asks for', () => {
  test('come after those the configuration asks for', async () => {
    const { browser, signIn } = await proxyWorld({ allowed_groups: ['ops'] })
    await signIn()
    expect((await browser.get('/oauth2/auth?allowed_groups=ml')).status).toBe(401)
    expect((await browser.check('/x?allowed_groups=ml')).status).toBe(403)
  })

  test.each([
    ['a preflight', { skip_auth_preflight: true }, 'OPTIONS'],
    ['a trusted address', { trusted_ips: ['10.0.0.9'] }, 'GET'],
  ] as const)('are asked of a session, not of %s without one', async (_, settings, method) => {
    // With `compat` the method of the question counts as that of the request, as in the original.
    const { browser, signIn } = await proxyWorld({ ...settings, compat: true, code_challenge_method: 'S256' })
    const status = async () => (await browser.get('/oauth2/auth?allowed_groups=ops', {}, method)).status
    expect(await status()).toBe(202)
    await signIn()
    expect(await status()).toBe(403)
  })
})

test.each<[string, Partial<Session>, object]>([
  ['all there is', { user: 'u', email: 'a@b.c', groups: ['g'], preferredUsername: 'p' }, {}],
  ['a user and an address', { user: 'u', email: 'a@b.c' }, {}],
  ['a user alone', { user: 'u', email: '' }, { email: '' }],
  ['more claims', { user: 'u', email: 'a@b.c', additionalClaims: { team: { name: 'x' }, n: '7', list: [1] } }, {}],
])('/userinfo tells %s', async (_, session, more) => {
  const { browser } = await proxyWorld()
  const answer = await browser.get('/oauth2/userinfo', { cookie: cookieOf(session) })
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/json'])
  expect(await answer.json()).toEqual({ ...session, ...more })
})

test('/userinfo of nobody is 401, on a route that skips sign-in empty', async () => {
  const { browser } = await proxyWorld()
  const answer = await browser.get('/oauth2/userinfo')
  expect([answer.status, await answer.text()]).toEqual([401, 'Unauthorized\n'])
  const open = await proxyWorld({ skip_auth_routes: ['^/oauth2/userinfo$'] })
  expect(await (await open.browser.get('/oauth2/userinfo')).json()).toEqual({})
})

test('answers of the sign-in are kept by nobody; those to a gateway may be', async () => {
  const { browser, signIn } = await proxyWorld()
  const control = async (path: string) => (await browser.get(path)).headers.get('cache-control')
  const own = ['sign_in', 'sign_out', 'signed_out', 'start', 'callback', 'callback?code=x&state=y', 'userinfo']
  for (const path of own) expect(await control(`/oauth2/${path}`), path).toContain('no-store')
  await signIn()
  expect(await control('/oauth2/userinfo')).toContain('no-store')
  for (const path of ['/oauth2/auth', '/x']) expect(await control(path), path).toBeNull()
})

test.each([
  [
    'an absolute one as it stands',
    { relative_redirect_url: false, redirect_url: 'https://a.example/cb' },
    'https://a.example/cb',
  ],
  ['a path as it stands where that is asked for', {}, '/oauth2/callback'],
  ['a path completed by Host', { relative_redirect_url: false }, 'https://host.example/oauth2/callback'],
  ['none: the prefix', { relative_redirect_url: false, redirect_url: '' }, 'https://host.example/oauth2/callback'],
  [
    'none: another prefix',
    { relative_redirect_url: false, redirect_url: '', proxy_prefix: '/p' },
    'https://host.example/p/callback',
  ],
  [
    'with cookies that need no TLS',
    { relative_redirect_url: false, cookie_secure: false },
    'http://host.example/oauth2/callback',
  ],
])('the redirect URI is %s', async (_, settings, expected) => {
  const { browser } = await proxyWorld({ ...settings, skip_provider_button: true })
  const headers = { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'http' }
  const answer = await browser.check('/x', { host: 'host.example', headers })
  const query = new URL(answer.headers['location'] ?? '', origin).searchParams
  expect(query.get('redirect_uri')).toBe(expected)
})

test('behind a trusted proxy the redirect URI has the host and scheme that it forwards', async () => {
  const open = { relative_redirect_url: false, cookie_secure: false, skip_provider_button: true, reverse_proxy: true }
  const { browser } = await proxyWorld({ ...open, trusted_proxy_ips: ['10.0.0.9'] })
  const headers = { 'x-forwarded-host': 'apps.example', 'x-forwarded-proto': 'https' }
  const answer = await browser.check('/x', { host: 'inner', headers })
  const query = new URL(answer.headers['location'] ?? '', origin).searchParams
  expect(query.get('redirect_uri')).toBe('https://apps.example/oauth2/callback')
})

test('with cookie_refresh, but nothing to refresh by, a session lives on while its ID token does', async () => {
  const { browser, signIn, provider, clock } = await proxyWorld({ cookie_refresh: '1h' })
  await signIn()
  const asked = provider.requests.length
  clock.time += 5 * 3_600_000
  for (let ask = 0; ask < 3; ask += 1) expect((await browser.check('/x')).status).toBe(200)
  expect(provider.requests).toHaveLength(asked)
})

describe('cookies of logins in progress', () => {
  test('a broken one beside a good one of the same name is passed over', async () => {
    const { browser, begin, newBrowser } = await proxyWorld()
    for (const order of ['first', 'last']) {
      const callback = await begin('/page')
      const [[found = '', good = ''] = []] = browser.cookies
      browser.cookies.clear()
      const broken = `${found}=${good.slice(0, -6)}AAAA==`
      const both = [broken, `${found}=${good}`]
      const cookie = (order === 'first' ? both : both.toReversed()).join('; ')
      expect((await newBrowser().get(callback, { cookie })).headers.get('location')).toBe('/page')
    }
  })

  test('the limit deletes the oldest', async () => {
    const { browser, begin, clock } = await proxyWorld({ cookie_csrf_per_request_limit: 2 })
    const callbacks: string[] = []
    for (const target of ['/one', '/two', '/three']) {
      callbacks.push(await begin(target))
      clock.time += 1000
    }
    expect(browser.cookies.size).toBe(2)
    const ends: (string | null)[] = []
    for (const callback of callbacks.toReversed()) {
      ends.push((await browser.get(callback)).headers.get('location'))
      browser.cookies.delete(name)
    }
    expect(ends).toEqual(['/three', '/two', expect.stringMatching(/^\/dex\/auth\?/)])
  })

  test.each([
    [{ cookie_csrf_expire: '5m', cookie_expire: '1h' }, true],
    [{ cookie_csrf_expire: '1h', cookie_expire: '5m' }, false],
  ])('live as long as cookie_csrf_expire says: %o', async (settings, isOver) => {
    const { browser, begin, clock } = await proxyWorld(settings)
    const callback = await begin('/page')
    clock.time += 301_000
    const location = (await browser.get(callback)).headers.get('location') ?? ''
    expect(location.startsWith('/dex/auth?')).toBe(isOver)
  })
})

describe('--config-test', () => {
  const settle = (...flags: string[]) => {
    const argv = [...flagsWithout('none'), '--config-test', ...flags]
    return settleCommandLine({ argv, flags: parseProxyFlags(argv), variables: {}, readFile: String })
  }

  test('ends with 0 for what can be run', () => {
    expect(settle()).toMatchObject({ kind: 'end', status: 0 })
  })

  test.each([
    ['--skip-auth-route=/health', true],
    ['--skip-auth-route=GET=/health', true],
    ['--skip-auth-regex=(?i)/health', true],
    ['--skip-auth-route=^/health', false],
    ['--skip-auth-route=GET=(?i)(^/a|^/b)', false],
    ['--skip-auth-route=!=/admin', false],
    ['--api-route=/api/', false],
  ])('warns of a rule that is met in the middle of a path, too: %s', (flag, isTold) => {
    const { stderr } = settle(flag) as { readonly stderr: string } // it has ended
    expect(stderr.includes('is met anywhere in a path')).toBe(isTold)
  })

  test('ends with 1 for rules behind a proxy that nobody is trusted to be, unless --compat trusts everybody', () => {
    const open = ['--reverse-proxy', '--skip-auth-route=^/open']
    expect(settle(...open)).toMatchObject({ status: 1, stderr: expect.stringContaining('trusted_proxy_ips') })
    expect(settle(...open, '--trusted-proxy-ip=10.0.0.1')).toMatchObject({ status: 0 })
    expect(settle(...open, '--compat')).toMatchObject({ status: 0 })
  })

  test.each([
    ['a secret of 15 bytes', ['--cookie-secret=123456789012345']],
    ['a refresh that is no shorter than the session', ['--cookie-refresh=1h', '--cookie-expire=1h']],
    ['an unknown SameSite', ['--cookie-samesite=some']],
    ['a minimal session with the access token to pass on', ['--session-cookie-minimal', '--pass-access-token']],
    ['a minimal session with the ID token to pass on', ['--session-cookie-minimal', '--pass-authorization-header']],
    ['a minimal session with the ID token to answer', ['--session-cookie-minimal', '--set-authorization-header']],
    ['a minimal session to refresh', ['--session-cookie-minimal', '--cookie-refresh=1h']],
    ['a regex that is none', ['--skip-auth-route=(']],
    ['an address that is none', ['--trusted-ip=10.0.0.0/99']],
    ['a header that tells no client', ['--reverse-proxy', '--trusted-proxy-ip=::1', '--real-client-ip-header=X-Me']],
  ])('ends with 1 for %s', (_, flags) => {
    expect(settle(...flags)).toMatchObject({ kind: 'end', status: 1 })
  })
})
