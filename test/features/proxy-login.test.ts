import { expect, test } from 'vitest'
import { ada, issuer, proxyWorld, sign } from './proxy-world.ts'

test('a visitor without a session gets the sign-in page, signs in and comes back to the very URL', async () => {
  const { browser, provider } = await proxyWorld()
  const page = await browser.check('/echo/some/deep?link=1')
  expect(page.status).toBe(403)
  expect(page.headers['content-type']).toBe('text/html; charset=utf-8')
  expect(page.body).toContain('<input type="hidden" name="rd" value="/echo/some/deep?link=1">')
  expect(page.body).toContain('Sign in with Dex')

  const started = await browser.get('/oauth2/start?rd=%2Fecho%2Fsome%2Fdeep%3Flink%3D1')
  expect(started.status).toBe(302)
  const location = started.headers.get('location') ?? ''
  expect(location.slice(0, location.indexOf('?'))).toBe('/dex/auth')
  expect([...new URL(location, 'http://x').searchParams.keys()]).toEqual([
    'approval_prompt',
    'client_id',
    'code_challenge',
    'code_challenge_method',
    'nonce',
    'redirect_uri',
    'response_type',
    'scope',
    'state',
  ])

  const back = await browser.get(provider.signIn(location))
  expect(back.status).toBe(302)
  expect(back.headers.get('location')).toBe('/echo/some/deep?link=1')

  const allowed = await browser.check('/echo/some/deep?link=1')
  expect(allowed.status).toBe(200)
  expect(allowed.headers).toMatchObject({
    'gap-auth': ada.email,
    'x-auth-request-email': ada.email,
    'x-auth-request-user': ada.sub,
    'x-auth-request-groups': 'ml,admins',
    'x-auth-request-preferred-username': 'ada',
  })
  expect(allowed.headers['authorization']).toMatch(/^Bearer ey/)
})

test('two tabs sign in at once, each to its own page, in either order', async () => {
  const { browser, begin } = await proxyWorld()
  const first = await begin('/one')
  const second = await begin('/two')
  expect((await browser.get(second)).headers.get('location')).toBe('/two')
  expect((await browser.get(first)).headers.get('location')).toBe('/one')
})

test('a browser keeps five logins in progress, the oldest goes first', async () => {
  const { browser, begin, clock } = await proxyWorld()
  const callbacks: string[] = []
  for (let tab = 0; tab < 8; tab += 1) {
    callbacks.push(await begin(`/tab${tab}`))
    clock.time += 1000
  }
  expect([...browser.cookies.keys()].filter((name) => name.endsWith('_csrf'))).toHaveLength(5)
  expect((await browser.get(callbacks[3] ?? '')).headers.get('location')).toBe('/tab3')
  expect((await browser.get(callbacks[7] ?? '')).headers.get('location')).toBe('/tab7')
})

test('the login cookie and the session cookie have their attributes', async () => {
  const { browser, begin } = await proxyWorld()
  const started = await browser.get('/oauth2/start?rd=/')
  expect(started.headers.getSetCookie()[0]).toMatch(
    /^oauth2_proxy_kubeflow_[\w-]{8}_csrf=[\w=-]+\|1700000000\|[\w=-]+; Path=\/; Max-Age=900; HttpOnly; Secure; SameSite=Lax$/,
  )
  const back = await browser.get(await begin('/'))
  const [session, cleared, ...rest] = back.headers.getSetCookie()
  expect(session).toMatch(
    /^oauth2_proxy_kubeflow=[\w=-]+\|1700000000\|[\w=-]+; Path=\/; Max-Age=86400; HttpOnly; Secure; SameSite=Lax$/,
  )
  expect(cleared).toMatch(/^oauth2_proxy_kubeflow_[\w-]{8}_csrf=; Path=\/; Max-Age=0; HttpOnly; Secure; SameSite=Lax$/)
  expect(rest).toEqual([])
})

test('a late or repeated callback of someone who is signed in just leads on, and redeems nothing', async () => {
  const { browser, begin, provider } = await proxyWorld()
  const callback = await begin('/page')
  await browser.get(callback)
  const again = await browser.get(callback)
  expect([again.status, again.headers.get('location')]).toEqual([302, '/page'])
  expect(provider.tokenRequests).toHaveLength(1)
})

test('a login whose cookie has gone is started again once, then explained', async () => {
  const { browser, begin, provider, clock } = await proxyWorld()
  const callback = await begin('/page')
  clock.time += 16 * 60_000
  browser.cookies.clear()
  const restarted = await browser.get(callback)
  expect(restarted.status).toBe(302)
  expect(restarted.headers.get('location')).toMatch(/^\/dex\/auth\?/)
  expect(provider.tokenRequests).toHaveLength(0)
  const second = provider.signIn(restarted.headers.get('location') ?? '')
  expect((await browser.get(second)).headers.get('location')).toBe('/page')

  browser.cookies.clear()
  const dead = await browser.get(second)
  expect(dead.status).toBe(403)
  expect(await dead.text()).toContain('check that your browser accepts cookies')
})

test('a login cookie too old for its lifetime is no proof, though the browser still sends it', async () => {
  const { browser, begin, provider, clock } = await proxyWorld()
  const callback = await begin('/page')
  clock.time += 16 * 60_000
  expect((await browser.get(callback)).headers.get('location')).toMatch(/^\/dex\/auth\?/)
  expect(provider.tokenRequests).toHaveLength(0)
})

test('of a thousand concurrent callbacks with one state one redeems the code', async () => {
  const { browser, begin, provider } = await proxyWorld()
  const callback = await begin('/page')
  const cookie = browser.cookieHeader
  const answers = await Promise.all(Array.from({ length: 1000 }, () => browser.get(callback, { cookie })))
  expect(provider.tokenRequests).toHaveLength(1)
  expect(answers.filter((answer) => answer.headers.get('location') === '/page')).toHaveLength(1)
})

test('a code the provider refuses starts the login again, once', async () => {
  const { browser, begin, provider } = await proxyWorld()
  const callback = (await begin('/page')).replace(/code=[^&]+/, 'code=used-elsewhere')
  const restarted = await browser.get(callback)
  expect(restarted.headers.get('location')).toMatch(/^\/dex\/auth\?/)
  const second = provider.signIn(restarted.headers.get('location') ?? '').replace(/code=[^&]+/, 'code=used-again')
  expect((await browser.get(second)).status).toBe(403)
})

test('state, PKCE and nonce bind the login: a code of another login is worthless', async () => {
  const { browser, begin, newBrowser, provider } = await proxyWorld()
  const mine = await begin('/mine')
  const attacker = newBrowser()
  const theirs = await begin('/theirs', attacker)
  const stolen = new URL(theirs, 'http://x').searchParams.get('code') ?? ''
  const injected = await browser.get(mine.replace(/code=[^&]+/, `code=${stolen}`))
  expect(injected.headers.get('location')).toMatch(/^\/dex\/auth\?/)
  expect(provider.tokenRequests).toHaveLength(1)
  expect([...browser.cookies.keys()]).not.toContain('oauth2_proxy_kubeflow')
})

test('an ID token that answers another nonce is refused', async () => {
  const { signIn, provider } = await proxyWorld()
  provider.tamper = (claims) => ({ ...claims, nonce: 'another' })
  const answer = await signIn()
  expect([answer.status, answer.headers.getSetCookie()]).toEqual([403, []])
})

test('a missing nonce is tolerated, unless the nonce is asked for', async () => {
  const lenient = await proxyWorld()
  lenient.provider.sendsNonce = false
  expect((await lenient.signIn()).status).toBe(302)
  const strict = await proxyWorld({ insecure_oidc_skip_nonce: false })
  strict.provider.sendsNonce = false
  expect((await strict.signIn()).status).toBe(403)
})

test.each([
  ['another issuer', { iss: 'http://evil' }],
  ['another audience', { aud: 'someone-else' }],
  ['expired', { exp: 1_699_999_999 }],
  ['not valid yet', { nbf: 1_700_000_301 }],
])('an ID token is refused: %s', async (_what, claims) => {
  const { signIn, provider } = await proxyWorld()
  provider.tamper = (original) => ({ ...original, ...claims })
  expect((await signIn()).status).toBe(502)
})

test('an account without an e-mail address is told so; the profile may supply it', async () => {
  const without = await proxyWorld()
  without.provider.account = { sub: 'ada' }
  const refused = await without.signIn()
  expect(refused.status).toBe(403)
  expect(await refused.text()).toContain('sent no e-mail address')

  const helped = await proxyWorld({ profile_url: 'http://dex.auth.svc:5556/dex/userinfo' })
  helped.provider.account = { sub: 'ada' }
  helped.provider.profile = { sub: 'ada', email: 'ada@example.com', groups: ['ml'] }
  expect((await helped.signIn()).status).toBe(302)
  expect((await helped.browser.check('/')).headers['x-auth-request-groups']).toBe('ml')
})

test("another account's profile is not mixed in", async () => {
  const { signIn, provider } = await proxyWorld({ profile_url: 'http://dex.auth.svc:5556/dex/userinfo' })
  provider.account = { sub: 'ada' }
  provider.profile = { sub: 'eve', email: 'eve@example.com' }
  expect((await signIn()).status).toBe(403)
})

test('an unverified address is refused, unless that is allowed', async () => {
  const strict = await proxyWorld()
  strict.provider.account = { ...ada, email_verified: false }
  expect((await strict.signIn()).status).toBe(403)
  const lenient = await proxyWorld({ insecure_oidc_allow_unverified_email: true })
  lenient.provider.account = { ...ada, email_verified: false }
  expect((await lenient.signIn()).status).toBe(302)
})

test('someone who may not enter is told so and can use another account', async () => {
  const { signIn, browser, provider } = await proxyWorld({ email_domains: ['corp.com'] })
  const denied = await signIn('/page')
  const text = await denied.text()
  expect(denied.status).toBe(403)
  expect(text).toContain('You are signed in as ada@example.com')
  expect(text).toContain('href="/oauth2/sign_out"')
  expect((await browser.check('/page')).status).toBe(403)

  const out = await browser.get('/oauth2/sign_out')
  expect(out.headers.get('location')).toContain('id_token_hint=')
  provider.account = { ...ada, email: 'ada@corp.com' }
  expect((await signIn('/page')).headers.get('location')).toBe('/page')
})

test('a group that is required is required', async () => {
  const inside = await proxyWorld({ allowed_groups: ['admins', 'ops'] })
  expect((await inside.signIn()).status).toBe(302)
  const outside = await proxyWorld({ allowed_groups: ['ops'] })
  expect((await outside.signIn()).status).toBe(403)
})

test('roles of Keycloak are groups, and can be required', async () => {
  const roles = { realm_access: { roles: ['dev'] }, resource_access: { app: { roles: ['edit'] } } }
  const { clock } = await proxyWorld()
  const accessToken = await sign({ iss: issuer, exp: clock.time / 1000 + 60, ...roles })
  const settings = { provider: 'keycloak-oidc', allowed_roles: ['app:edit'] }
  const world = await proxyWorld(settings)
  world.provider.accessToken = accessToken
  expect((await world.signIn()).status).toBe(302)
  expect((await world.browser.check('/')).headers['x-auth-request-groups']).toBe('ml,admins,role:dev,role:app:edit')
})

test('claims may have other names, also dotted ones', async () => {
  const { signIn, browser, provider } = await proxyWorld({
    oidc_email_claim: 'contact.mail',
    oidc_groups_claim: 'https://corp.example/roles',
  })
  provider.account = { sub: 'ada', contact: { mail: 'ada@corp.com' }, 'https://corp.example/roles': 'only-one' }
  await signIn()
  const { headers } = await browser.check('/')
  expect([headers['x-auth-request-email'], headers['x-auth-request-groups']]).toEqual(['ada@corp.com', 'only-one'])
})

test("the provider's error is told without what it carries", async () => {
  const { browser, begin, provider } = await proxyWorld()
  const state = new URL(await begin('/page'), 'http://x').searchParams.get('state') ?? ''
  const error = '<script>alert(1)</script>%25s'
  const answer = await browser.get(
    `/oauth2/callback?${new URLSearchParams({ error, state, error_description: error })}`,
  )
  expect(answer.status).toBe(502)
  expect(await answer.text()).not.toContain('alert(1)')
  expect(provider.tokenRequests).toHaveLength(0)
})

test('where `prompt=none` was too much to ask, the login goes on with a prompt', async () => {
  const { browser, begin } = await proxyWorld({ prompt: 'none' })
  const state = new URL(await begin('/page'), 'http://x').searchParams.get('state') ?? ''
  const answer = await browser.get(`/oauth2/callback?${new URLSearchParams({ error: 'login_required', state })}`)
  const location = answer.headers.get('location') ?? ''
  expect(location).toMatch(/^\/dex\/auth\?/)
  expect(location).not.toContain('prompt=none')
})

test.each(['/oauth2/callback?code=x&state=', '/oauth2/callback?code=x&state=abc:/', '/oauth2/callback?code=x'])(
  'a callback that cannot be read is a 400: %s',
  async (path) => {
    const { browser } = await proxyWorld()
    expect((await browser.get(path)).status).toBe(400)
  },
)

test('a provider that is down is a 503 with advice, and the login works once it is back', async () => {
  const { browser, provider, clock, signIn, proxy } = await proxyWorld({
    ...{ skip_oidc_discovery: false, login_url: '', redeem_url: '', oidc_jwks_url: '' },
    ...{ redirect_url: 'https://kubeflow.example.com/oauth2/callback', relative_redirect_url: false },
  })
  provider.isDown = true
  const refused = await browser.get('/oauth2/start')
  expect(refused.status).toBe(503)
  expect(await refused.text()).toContain('does not answer')
  expect(proxy.ready()).toBe(false)
  expect((await browser.get('/ready')).status).toBe(503)
  expect((await browser.check('/echo')).status).toBe(403)

  provider.isDown = false
  clock.time += 5000
  expect((await signIn('/page')).headers.get('location')).toBe('/page')
  expect(proxy.ready()).toBe(true)
})

test('a provider whose name differs from the configured one is not believed', async () => {
  const { browser, logged } = await proxyWorld({
    ...{ skip_oidc_discovery: false, oidc_issuer_url: `${issuer}/` },
    ...{ login_url: '', redeem_url: '', oidc_jwks_url: '' },
  })
  expect((await browser.get('/oauth2/start')).status).toBe(503)
  expect(logged.join()).toContain('the provider calls itself')
})

test('an absolute redirect_url is sent whatever Host says', async () => {
  const { browser } = await proxyWorld({
    ...{ redirect_url: 'https://kubeflow.example.com/oauth2/callback', relative_redirect_url: false },
  })
  const answer = await browser.get('/oauth2/start', { host: 'evil.com', 'x-forwarded-host': 'evil.com' })
  const location = new URL(answer.headers.get('location') ?? '', 'http://x')
  expect(location.searchParams.get('redirect_uri')).toBe('https://kubeflow.example.com/oauth2/callback')
})

test('state may be encoded, and the session minimal', async () => {
  const { signIn, browser } = await proxyWorld({
    encode_state: true,
    session_cookie_minimal: true,
    set_authorization_header: false,
  })
  expect((await signIn('/page?x=1')).headers.get('location')).toBe('/page?x=1')
  expect((await browser.check('/')).status).toBe(200)
  expect(browser.cookieHeader.length).toBeLessThan(500)
})

test('a session too large for one cookie is split, works, and leaves nothing behind when it shrinks', async () => {
  const { signIn, browser, provider } = await proxyWorld()
  provider.account = { ...ada, groups: Array.from({ length: 400 }, (_, index) => `team-${index}-${index * 7919}`) }
  await signIn()
  expect([...browser.cookies.keys()].filter((name) => /_\d$/.test(name)).length).toBeGreaterThan(1)
  expect((await browser.check('/')).status).toBe(200)
  provider.account = ada
  await signIn()
  expect([...browser.cookies.keys()]).toEqual(['oauth2_proxy_kubeflow'])
  expect((await browser.check('/')).headers['x-auth-request-groups']).toBe('ml,admins')
})

test('no token, code, cookie or secret is in the log', async () => {
  const { signIn, browser, logged, provider } = await proxyWorld()
  await signIn()
  await browser.check('/')
  await browser.get('/oauth2/sign_out')
  await browser.get('/oauth2/callback?code=secret-code&state=x')
  provider.isDown = true
  await signIn()
  const text = logged.join('\n')
  expect(text).toContain('signed in')
  expect(text).not.toMatch(/eyJ|secret-code|access-1|a client secret|\|1700000000\|/)
})

test('a state that only begins like the one in the cookie proves nothing', async () => {
  const { browser, begin, provider } = await proxyWorld()
  const callback = new URL(await begin('/page'), 'http://x')
  const state = callback.searchParams.get('state') ?? ''
  callback.searchParams.set('state', state.slice(0, 8) + 'A'.repeat(35) + state.slice(43))
  expect((await browser.get(callback.pathname + callback.search)).headers.get('location')).toMatch(/^\/dex\/auth\?/)
  expect(provider.tokenRequests).toHaveLength(0)
})

test('a provider that was down for the code may be asked again with the same callback', async () => {
  const { browser, begin, provider } = await proxyWorld()
  const callback = await begin('/page')
  provider.isDown = true
  expect((await browser.get(callback)).status).toBe(503)
  provider.isDown = false
  expect((await browser.get(callback)).headers.get('location')).toBe('/page')
})

test('a provider that is down is not asked by every visitor', async () => {
  const discovery = { skip_oidc_discovery: false, login_url: '', redeem_url: '', oidc_jwks_url: '' }
  const { browser, provider, proxy } = await proxyWorld(discovery)
  provider.isDown = true
  for (let visit = 0; visit < 20; visit += 1) {
    expect((await browser.get('/oauth2/start')).status).toBe(503)
    expect(proxy.ready()).toBe(false)
  }
  expect(provider.requests).toHaveLength(1)
})
