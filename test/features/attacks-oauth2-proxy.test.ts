import { createHmac, createPublicKey, type KeyObject } from 'node:crypto'
import { expect, test } from 'vitest'
import { ada, issuer, kubeflow, origin, proxyWorld, publicKeyPem, sign } from './proxy-world.ts'

// What was done to oauth2-proxy and its kin, done to us; `proxy-attacks.test.ts`, `attacks-*.test.ts` and the tables of
// `src/proxy/*.test.ts` hold the rest of the list.

/** The client of these tests comes from 10.0.0.9. */
const behindFront = { reverse_proxy: true, trusted_proxy_ips: ['10.0.0.0/8'] }

const skipped: readonly (readonly [what: string, rule: string, paths: readonly string[]])[] = [
  ['CVE-2025-54576: a query that matches', '^/api/.*/status', ['/api/private?p=/status']],
  ['CVE-2026-41059: a fragment', '^/foo/.*/bar$', ['/foo/secret%23/bar', '/foo/secret#/bar', '/foo/secret%3f/bar']],
  ['dots', '^/public/', ['/public/../admin', '/public/%2e%2e/admin', '/public/..%2fadmin', '/public//../admin']],
  ['dots of other systems', '^/public/', ['/public/..\\admin', '/public/..;/admin', '/public/%252e%252e/admin']],
]

test.each(skipped)('a rule that skips sign-in is not met by %s', async (_, rule, paths) => {
  const { browser, signIn } = await proxyWorld({ ...behindFront, api_routes: [], skip_auth_routes: [rule] })
  const settings = { trusted_proxy_ips: ['192.168.0.1'], reverse_proxy: true, skip_auth_routes: [rule] }
  const stranger = (await proxyWorld(settings)).browser
  for (const path of paths) {
    expect((await browser.check(path)).status, path).toBe(403)
    for (const name of ['x-forwarded-uri', 'x-original-url', 'x-original-uri']) {
      const asked = { 'x-forwarded-method': 'GET', [name]: path }
      expect((await browser.get('/oauth2/auth', asked)).status, `${name}: ${path}`).toBe(401)
      expect((await stranger.get('/oauth2/auth', asked)).status, `${name}: ${path}`).toBe(401)
    }
  }
  await signIn()
  for (const path of paths) expect((await browser.check(path)).status, path).toBe(200)
})

test('CVE-2021-21411: a required group keeps out who is not in it, and who is in is told by their own groups', async () => {
  const { signIn, browser, provider } = await proxyWorld({ allowed_groups: ['ml', 'other'] })
  provider.account = { ...ada, groups: ['guests'] }
  await signIn()
  expect((await browser.check('/x')).status).toBe(403)
  provider.account = { ...ada, groups: ['ml', 'guests'] }
  await signIn()
  expect((await browser.check('/x')).headers['x-auth-request-groups']).toBe('ml,guests')
})

test('CVE-2026-34457: the User-Agent of a probe opens nothing', async () => {
  for (const [settings, agent] of [
    [{ ping_user_agent: 'HC/1' }, 'HC/1'],
    [{ gcp_healthchecks: true }, 'GoogleHC/1.0'],
  ] as const) {
    const { browser } = await proxyWorld(settings)
    const headers = { 'user-agent': agent }
    expect((await browser.get('/oauth2/auth', headers)).status).toBe(401)
    for (const path of ['/', '/secret', '/ping', '/liveness_check']) {
      expect((await browser.check(path, { headers })).status, path).toBe(403)
    }
    for (const path of ['/secret', '/secret/ping', '/ping/../secret', '/liveness_check/x', '//ping', '/%70ing']) {
      expect((await browser.get(path, headers)).status, path).toBe(403)
    }
  }
})

test('CVE-2026-40574: an address with two @ is in no domain a query asks for', async () => {
  const { browser, signIn, provider } = await proxyWorld()
  provider.account = { ...ada, email: 'a@evil.com@corp.com' }
  await signIn()
  for (const domain of ['corp.com', '.corp.com', '*.corp.com', 'evil.com@corp.com']) {
    const query = `allowed_email_domains=${encodeURIComponent(domain)}`
    expect((await browser.get(`/oauth2/auth?${query}`)).status, domain).toBe(403)
    expect((await browser.check(`/x?${query}`)).status, domain).toBe(403)
  }
})

test.each(['cookie', 'sqlite'])(
  'CVE-2026-34454: who asks for the sign-in page is signed out of the browser, and of the store (%s)',
  async (type) => {
    const { browser, signIn } = await proxyWorld({ session_store_type: type })
    await signIn()
    const { cookieHeader: cookie } = browser
    await browser.get('/oauth2/sign_in')
    expect(browser.cookies.size).toBe(0)
    expect((await browser.check('/x', { headers: { cookie } })).status).toBe(type === 'sqlite' ? 403 : 200)
  },
)

test('a ticket that was planted before the sign-in is not the one after it, and is dead', async () => {
  const { browser, signIn, newBrowser } = await proxyWorld({ session_store_type: 'sqlite' })
  const attacker = newBrowser()
  await signIn('/', attacker)
  for (const [name, value] of attacker.cookies) browser.cookies.set(name, value)
  await signIn()
  expect(browser.cookieHeader).not.toBe(attacker.cookieHeader)
  expect((await browser.check('/x')).status).toBe(200)
  expect((await attacker.check('/x')).status).toBe(403)
})

test('a ticket is no session of the cookie kind, nor the other way round', async () => {
  const worlds = [await proxyWorld({ session_store_type: 'sqlite' }), await proxyWorld()] as const
  for (const world of worlds) await world.signIn()
  for (const [one, other] of [worlds, worlds.toReversed()]) {
    const headers = { cookie: other?.browser.cookieHeader }
    expect((await one?.browser.check('/api/x'))?.status).toBe(200)
    expect((await one?.browser.check('/api/x', { headers }))?.status).toBe(401)
  }
})

test('the ID token is put into no target of a sign-out, with a session or without', async () => {
  const { browser, signIn } = await proxyWorld({ whitelist_domains: ['.ok.example'], skip_auth_routes: ['^/x'] })
  for (const isSignedIn of [false, true]) {
    for (const rd of ['/x{id_token}', 'https://tenant.ok.example/?t={id_token}']) {
      if (isSignedIn) await signIn()
      const out = await browser.get(`/oauth2/sign_out?${new URLSearchParams({ rd })}`)
      expect(out.status).toBe(302)
      const location = new URL(out.headers.get('location') ?? '', origin)
      location.searchParams.delete('id_token_hint') // to the provider it came from, as the standard has it
      expect(location.href).not.toMatch(/ey[\w-]+\./)
      if (rd.startsWith('https:')) expect(location.host).toBe('tenant.ok.example')
    }
  }
})

const machine = (claims: Record<string, unknown> = {}) => ({
  ...{ iss: issuer, aud: kubeflow.client_id, sub: 'robot', email: 'robot@example.com', exp: 1_700_003_600 },
  ...claims,
})

/** What an API says to a bearer token. */
async function statusOf(token: string, settings: Record<string, unknown> = {}) {
  const { browser } = await proxyWorld({ skip_jwt_bearer_tokens: true, ...settings })
  return (await browser.check('/api/x', { headers: { authorization: `Bearer ${token}` } })).status
}

test('a token signed by HMAC with the public key is not believed, even where HMAC is allowed', async () => {
  const input = [{ alg: 'HS256', kid: 'k1' }, machine()]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  const key = (form: 'pem' | 'der') => publicKeyOf(form)
  for (const secret of [key('pem'), key('der'), publicKeyPem.trim()]) {
    const signature = createHmac('sha256', secret).update(input).digest('base64url')
    expect(await statusOf(`${input}.${signature}`)).toBe(401)
    expect(await statusOf(`${input}.${signature}`, { oidc_enabled_signing_algs: ['HS256', 'RS256'] })).toBe(401)
  }
})

function publicKeyOf(form: 'pem' | 'der'): string | Buffer {
  const key: KeyObject = createPublicKey(publicKeyPem)
  return form === 'pem' ? key.export({ type: 'spki', format: 'pem' }) : key.export({ type: 'spki', format: 'der' })
}

test('of the claims an audience may be in, the first one there is decides', async () => {
  const settings = { oidc_audience_claims: ['azp', 'aud'] }
  const status = async (claims: Record<string, unknown>) => statusOf(await sign(machine(claims)), settings)
  expect(await status({})).toBe(200)
  expect(await status({ azp: kubeflow.client_id, aud: 'other' })).toBe(200)
  expect(await status({ azp: 'other' })).toBe(401)
  expect(await status({ azp: '' })).toBe(401)
  expect(await status({ aud: ['other', kubeflow.client_id] })).toBe(200)
  expect(await status({ aud: [] })).toBe(401)
  expect(await status({ aud: undefined })).toBe(401)
})

test('a token is good until its very second, and not one longer', async () => {
  expect(await statusOf(await sign(machine({ exp: 1_700_000_001 })))).toBe(200)
  expect(await statusOf(await sign(machine({ exp: 1_700_000_000 })))).toBe(401)
  expect(await statusOf(await sign(machine({ exp: 1_699_999_999 })))).toBe(401)
})

test.each([
  ['a script', '<script>alert(1)</script>'],
  ['a format', '%s%n%x'],
  ['an encoded format', '%25s%25n'],
  ['a second header', 'x\r\nset-cookie: a=b'],
])('an error, a state and a target of %s come back as plain text or not at all', async (_, text) => {
  const { browser, begin } = await proxyWorld()
  const state = new URL(await begin(`/page?${text}`), origin).searchParams.get('state') ?? ''
  const callback = (values: Record<string, string>) => `/oauth2/callback?${new URLSearchParams(values)}`
  for (const path of [
    callback({ error: text, state }),
    callback({ error: text, error_description: text, state }),
    callback({ code: 'x', state: text }),
    callback({ code: 'x', state: state + text }),
    `/oauth2/start?${new URLSearchParams({ rd: `/${text}` })}`,
    `/oauth2/sign_out?${new URLSearchParams({ rd: `/${text}` })}`,
    `/oauth2/signed_out?${new URLSearchParams({ state: `/${text}` })}`,
  ]) {
    const answer = await browser.get(path)
    expect(answer.status, path).not.toBe(500)
    expect(answer.headers.getSetCookie().join(), path).not.toContain('a=b')
    expect(await answer.text(), path).not.toContain('<script>alert')
  }
})

test('a name, a group and a claim with a line end cannot begin a header', async () => {
  const { browser, signIn, provider } = await proxyWorld()
  const evil = 'x\r\nx-auth-request-email: root@example.com'
  provider.account = { ...ada, sub: evil, groups: [evil], preferred_username: evil }
  await signIn()
  const { pairs } = await browser.check('/x')
  for (const [, value] of pairs) expect(value).not.toMatch(/[\r\n\0]/)
  expect(pairs.filter(([name]) => name === 'x-auth-request-email')).toEqual([['x-auth-request-email', ada.email]])
})

test('a session that no browser could bring back is refused in words, and kept where it is only a ticket', async () => {
  const groups = Array.from({ length: 10_000 }, (_, at) => `team-${at * 7919}-${(at * 104_729) % 99_991}`)
  const { browser, signIn, provider } = await proxyWorld()
  provider.account = { ...ada, groups }
  const refused = await signIn()
  expect([refused.status, [...browser.cookies.keys()].filter((one) => !one.endsWith('_csrf'))]).toEqual([403, []])
  expect(await refused.text()).toContain('more groups than a browser can carry')
  const kept = await proxyWorld({ session_store_type: 'sqlite' })
  kept.provider.account = { ...ada, groups }
  expect((await kept.signIn()).status).toBe(302)
  expect((await kept.browser.check('/x')).status).toBe(200)
})

/** Everything someone can bring, and how the proxy is set up to take it. */
const ways: readonly (readonly [what: string, settings: Record<string, unknown>])[] = [
  ['cookie', {}],
  ['ticket', { session_store_type: 'sqlite' }],
  ['bearer', { skip_jwt_bearer_tokens: true }],
  ['basic', { skip_jwt_bearer_tokens: true }],
]

test.each(ways)('who may not enter may not by any way: %s', async (way, settings) => {
  for (const [rule, status] of [
    [{ email_domains: ['example.com'], allowed_groups: ['ml'] }, 200],
    [{ email_domains: ['corp.example'] }, 403],
    [{ allowed_groups: ['ops'] }, 403],
    [{ email_domains: ['example.com'], allowed_groups: ['ops'] }, 403],
    [{ email_domains: ['corp.example'], allowed_groups: ['ml'] }, 403],
  ] as const) {
    const { browser, signIn } = await proxyWorld({ ...settings, ...rule })
    const token = await sign({ ...machine(), ...ada })
    if (way === 'cookie' || way === 'ticket') await signIn()
    const written = way === 'basic' ? Buffer.from(`${token}:`).toString('base64') : token
    const scheme = way === 'basic' ? 'Basic' : 'Bearer'
    const headers: Record<string, string> = browser.cookies.size > 0 ? {} : { authorization: `${scheme} ${written}` }
    for (let ask = 0; ask < 2; ask += 1) expect((await browser.check('/x', { headers })).status).toBe(status)
    const expected = status === 200 ? 202 : 401
    expect((await browser.get('/oauth2/auth', headers)).status).toBe(expected)
    expect((await browser.get('/oauth2/userinfo', headers)).status).toBe(status === 200 ? 200 : 401)
  }
})
