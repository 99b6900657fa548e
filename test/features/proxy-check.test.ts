import { expect, test } from 'vitest'
import { ada, foreignKey, issuer, kubeflow, proxyWorld, sign } from './proxy-world.ts'

const json = { accept: 'application/json, text/plain, */*' }

test('without a session a page is a 403 with the sign-in page, whatever the method or Accept', async () => {
  const { browser } = await proxyWorld()
  for (const request of [{}, { method: 'POST' }, { headers: { accept: 'text/html' } }]) {
    const answer = await browser.check('/jupyter/?ns=a&b=%20c', request)
    expect(answer.status).toBe(403)
    expect(answer.headers['content-type']).toBe('text/html; charset=utf-8')
    expect(answer.body).toContain('name="rd" value="/jupyter/?ns=a&amp;b=%20c"')
    expect(answer.pairs.map(([name]) => name)).not.toContain('set-cookie')
  }
})

test('with skip_provider_button it is a 302 to the provider, with a login cookie', async () => {
  const { browser, provider } = await proxyWorld({ skip_provider_button: true })
  expect((await browser.check('/?q=%va')).status).toBe(400)
  const answer = await browser.check('/x?y=1')
  expect(answer.status).toBe(302)
  expect(answer.headers['location']).toMatch(/^\/dex\/auth\?/)
  expect((await browser.get(provider.signIn(answer.headers['location'] ?? ''))).headers.get('location')).toBe('/x?y=1')
})

test('a script that asks for JSON gets 401 and an empty object', async () => {
  const { browser } = await proxyWorld()
  const answer = await browser.check('/x', { headers: json })
  expect([answer.status, answer.body, answer.headers['content-type']]).toEqual([401, '{}', 'application/json'])
  const { browser: original } = await proxyWorld({ compat: true })
  for (const accept of ['application/json;q=1', 'Application/JSON', 'application/jsonp', '*/*', undefined]) {
    // oauth2-proxy knows only the one spelling; the first three ask for no page either.
    expect((await original.check('/x', { headers: { accept } })).status, accept).toBe(403)
    const takesPages = accept === undefined || accept === '*/*'
    expect((await browser.check('/x', { headers: { accept } })).status, accept).toBe(takesPages ? 403 : 401)
  }
})

test('an API route gets 401 with any Accept; its neighbour gets the page', async () => {
  const { browser } = await proxyWorld()
  for (const path of ['/pipeline/api/v1', '/apis/v2', '/ml_metadata.Store/Get', '/x?y=/api/']) {
    expect((await browser.check(path, { headers: { accept: 'text/html' } })).body, path).toBe('{}')
  }
  expect((await browser.check('/ui')).status).toBe(403)
})

test('force_json_errors makes every refusal JSON', async () => {
  const { browser, signIn } = await proxyWorld({ force_json_errors: true, allowed_groups: ['ops'] })
  expect((await browser.check('/ui')).body).toBe('{}')
  await signIn()
  const denied = await browser.check('/ui')
  expect([denied.status, denied.body]).toEqual([403, '{}'])
})

test.each([
  ['fetch', { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' }],
  ['an image', { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' }],
  ['a frame', { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' }],
  ['XMLHttpRequest', { 'x-requested-with': 'XMLHttpRequest' }],
  ['a WebSocket', { upgrade: 'websocket', connection: 'Upgrade' }],
  ['gRPC', { 'content-type': 'application/grpc-web+proto' }],
])('a background request gets 401 that says where to sign in, and no cookie: %s', async (_what, headers) => {
  for (const settings of [{}, { skip_provider_button: true }]) {
    const { browser } = await proxyWorld(settings)
    const answer = await browser.check('/app/data', { headers })
    expect(answer.status).toBe(401)
    expect(JSON.parse(answer.body)).toEqual({ error: 'login_required', login_url: '/oauth2/start' })
    expect(answer.headers['set-cookie']).toBeUndefined()
  }
})

test('a navigation of a browser that tells its purpose gets the login', async () => {
  const { browser } = await proxyWorld()
  const headers = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
  expect((await browser.check('/x', { headers })).status).toBe(403)
})

test('a route that skips sign-in passes without a session, and with the identity of one', async () => {
  const { browser, signIn } = await proxyWorld()
  const anonymous = await browser.check('/dex/auth?x=1')
  expect([anonymous.status, anonymous.pairs]).toEqual([200, [['content-type', 'text/plain; charset=utf-8']]])
  await signIn()
  expect((await browser.check('/dex/auth')).headers['x-auth-request-email']).toBe(ada.email)
})

test('a route that skips sign-in says nothing of someone who may not enter', async () => {
  const { browser, signIn } = await proxyWorld({ email_domains: ['corp.com'] })
  await signIn()
  const answer = await browser.check('/dex/auth')
  expect([answer.status, answer.headers['x-auth-request-email']]).toEqual([200, undefined])
})

test('preflights pass only where that is configured', async () => {
  const plain = await proxyWorld()
  expect((await plain.browser.check('/x', { method: 'OPTIONS' })).status).toBe(403)
  const skipping = await proxyWorld({ skip_auth_preflight: true })
  expect((await skipping.browser.check('/x', { method: 'OPTIONS' })).status).toBe(200)
  expect((await skipping.browser.check('/x', { method: 'GET' })).status).toBe(403)
})

test('a warm session is answered at once, the same way as a cold one', async () => {
  const { browser, proxy, signIn } = await proxyWorld()
  await signIn()
  const request = {
    ...{ method: 'GET', path: '/x', host: 'h', clientAddress: '', requestId: 'r' },
    headers: { cookie: `a=b; ${browser.cookieHeader}; c=d` },
  }
  const cold = await proxy.check(request)
  const warm = proxy.check({ ...request, path: '/other' })
  expect(warm).not.toBeInstanceOf(Promise)
  expect(warm).toEqual(cold)
})

test('a session ends with cookie_expire, warm or not', async () => {
  const { browser, clock, signIn, provider } = await proxyWorld()
  provider.tokenLifetime = 10 * 86_400
  await signIn()
  clock.time += 86_400_000 - 1000
  expect((await browser.check('/x')).status).toBe(200)
  clock.time += 1000
  expect((await browser.check('/x')).status).toBe(403)
})

test('someone signed in who may not enter is told, not sent round in circles', async () => {
  const { browser, signIn } = await proxyWorld({ allowed_groups: ['ops'], skip_provider_button: true })
  await signIn()
  const answer = await browser.check('/x')
  expect(answer.status).toBe(403)
  expect(answer.body).toContain('which is not allowed here')
  expect((await browser.check('/x', { headers: json })).status).toBe(403)
})

test("a query's own constraints narrow who passes", async () => {
  const { browser, signIn } = await proxyWorld()
  await signIn()
  const passes = async (query: string) => (await browser.check(`/x?${query}`)).status
  expect(await passes('allowed_groups=a,ml')).toBe(200)
  expect(await passes('allowed_groups=a&allowed_groups=ml')).toBe(200)
  expect(await passes('allowed_groups=a')).toBe(403)
  expect(await passes('allowed_emails=ada@example.com')).toBe(200)
  expect(await passes('allowed_emails=eve@example.com')).toBe(403)
  expect(await passes('allowed_email_domains=*.example.com')).toBe(200)
  expect(await passes('allowed_email_domains=*')).toBe(403)
  expect(await passes('allowed_groups=ml&allowed_emails=eve@example.com')).toBe(403)
  expect(await passes('allowed_groups=')).toBe(200)
})

const machine = (claims: Record<string, unknown> = {}) => ({
  ...{ iss: issuer, aud: kubeflow.client_id, sub: 'robot', email: 'robot@example.com', exp: 1_700_003_600 },
  ...claims,
})

test('a bearer token of the provider is a session, and its token is passed on', async () => {
  const { browser } = await proxyWorld({ skip_jwt_bearer_tokens: true })
  const token = await sign(machine({ groups: 'one' }))
  const answer = await browser.check('/api/x', { headers: { authorization: `Bearer ${token}` } })
  expect(answer.status).toBe(200)
  expect(answer.headers).toMatchObject({
    authorization: `Bearer ${token}`,
    'x-auth-request-user': 'robot',
    'x-auth-request-email': 'robot@example.com',
    'x-auth-request-groups': 'one',
  })
})

test('the token may come by Basic, as user or as password', async () => {
  const { browser } = await proxyWorld({ skip_jwt_bearer_tokens: true })
  const token = await sign(machine())
  const status = async (credentials: string) => {
    const authorization = `Basic ${Buffer.from(credentials).toString('base64')}`
    return (await browser.check('/x', { headers: { authorization } })).status
  }
  expect(await status(`${token}:`)).toBe(200)
  expect(await status(`${token}:x-oauth-basic`)).toBe(200)
  expect(await status(`anyone:${token}`)).toBe(200)
  expect(await status(`${token}:other`)).toBe(403)
  expect(await status('ada:password')).toBe(403)
})

test('a token without an address is known by its subject', async () => {
  const { browser } = await proxyWorld({ skip_jwt_bearer_tokens: true })
  const token = await sign(machine({ email: undefined }))
  const answer = await browser.check('/x', { headers: { authorization: `Bearer ${token}` } })
  expect(answer.headers['x-auth-request-email']).toBe('robot')
})

test.each([
  ['expired', machine({ exp: 1_699_999_999 })],
  ['without an end', machine({ exp: undefined })],
  ['for someone else', machine({ aud: 'other' })],
  ['of another issuer', machine({ iss: 'http://evil' })],
  ['not valid yet', machine({ nbf: 1_700_000_301 })],
  ['of an unverified address', machine({ email_verified: false })],
])('a bearer token is not believed: %s', async (_what, claims) => {
  const { browser } = await proxyWorld({ skip_jwt_bearer_tokens: true })
  const headers = { authorization: `Bearer ${await sign(claims)}` }
  expect((await browser.check('/x', { headers })).status).toBe(403)
  expect((await browser.check('/api/x', { headers })).status).toBe(401)
})

test('a token with a forged signature, no algorithm, or the public key as a secret is not believed', async () => {
  const { browser } = await proxyWorld({ skip_jwt_bearer_tokens: true })
  const good = await sign(machine())
  const [, body = ''] = good.split('.')
  const header = (alg: string) => Buffer.from(JSON.stringify({ alg, kid: 'k1' })).toString('base64url')
  const forged = [
    await sign(machine(), foreignKey),
    `${header('none')}.${body}.`,
    `${header('none')}.${body}.x`,
    `${header('HS256')}.${body}.${Buffer.alloc(32).toString('base64url')}`,
    good.slice(0, -4),
  ]
  for (const token of forged) {
    expect((await browser.check('/api/x', { headers: { authorization: `Bearer ${token}` } })).status).toBe(401)
  }
})

test('what is no believable token is a 403 where there is no way back to the login', async () => {
  const { browser, signIn } = await proxyWorld({ skip_jwt_bearer_tokens: true, bearer_token_login_fallback: false })
  await signIn()
  for (const authorization of ['Bearer x', 'Basic eDp5', 'Bearer', '', 'bearer a.b.c', 'Bearer a b']) {
    const answer = await browser.check('/x', { headers: { authorization } })
    expect([answer.status, answer.body], authorization).toEqual([403, 'Forbidden\n'])
  }
})

test('otherwise the cookie decides; a good token wins over any cookie', async () => {
  const { browser, signIn } = await proxyWorld({ skip_jwt_bearer_tokens: true })
  await signIn()
  const bad = await browser.check('/x', { headers: { authorization: 'Bearer x' } })
  expect(bad.headers['x-auth-request-email']).toBe(ada.email)
  const token = await sign(machine())
  const good = await browser.check('/x', { headers: { authorization: `Bearer ${token}` } })
  expect(good.headers['x-auth-request-email']).toBe('robot@example.com')
})

test('bearer tokens are not looked at unless that is configured', async () => {
  const { browser } = await proxyWorld()
  const token = await sign(machine())
  expect((await browser.check('/api/x', { headers: { authorization: `Bearer ${token}` } })).status).toBe(401)
})

test('restrictions hold for tokens, too', async () => {
  const { browser } = await proxyWorld({ skip_jwt_bearer_tokens: true, allowed_groups: ['ops'] })
  const headers = async (claims: object) => ({ authorization: `Bearer ${await sign(machine({ ...claims }))}` })
  expect((await browser.check('/api/x', { headers: await headers({ groups: ['ml'] }) })).status).toBe(403)
  expect((await browser.check('/api/x', { headers: await headers({ groups: ['ops'] }) })).status).toBe(200)
})

test('tokens of an extra issuer are believed for its audience, with their fixed claims', async () => {
  const extra = 'https://kubernetes.default.svc'
  const { browser, provider } = await proxyWorld({
    skip_jwt_bearer_tokens: true,
    extra_jwt_issuers: [`${extra}=istio-ingressgateway`],
  })
  const own = provider.fetch
  const asked: string[] = []
  provider.fetch = async (input, init) => {
    const { url } = new Request(input, init)
    if (!url.startsWith(extra)) return own(input, init)
    asked.push(url)
    return url === `${extra}/.well-known/jwks.json` ? own(`${issuer}/keys`) : new Response('', { status: 404 })
  }
  const subject = 'system:serviceaccount:team:runner'
  const status = async (claims: object) => {
    const token = await sign({ iss: extra, aud: 'istio-ingressgateway', sub: subject, exp: 1_700_003_600, ...claims })
    const answer = await browser.check('/api/x', { headers: { authorization: `Bearer ${token}` } })
    return [answer.status, answer.headers['x-auth-request-email']]
  }
  expect(await status({})).toEqual([200, subject])
  expect(await status({ email: 'r@example.com', email_verified: true, groups: ['g'] })).toEqual([200, 'r@example.com'])
  expect(await status({ aud: kubeflow.client_id })).toEqual([401, undefined])
  expect(await status({ email_verified: false })).toEqual([401, undefined])
  expect(await status({ groups: 'g' })).toEqual([401, undefined])
  expect(asked).toEqual([`${extra}/.well-known/openid-configuration`, `${extra}/.well-known/jwks.json`])
})

test('an extra issuer that is away at first is discovered later, asked for no stranger and not by every token', async () => {
  const extra = 'https://elsewhere.example'
  const { browser, provider, clock } = await proxyWorld({
    skip_jwt_bearer_tokens: true,
    extra_jwt_issuers: [`${extra}=api`],
  })
  const own = provider.fetch
  let isAway = true
  const asked: string[] = []
  provider.fetch = async (input, init) => {
    const { url } = new Request(input, init)
    if (!url.startsWith(extra)) return own(input, init)
    asked.push(url.slice(extra.length))
    if (isAway) throw new TypeError('connection refused')
    return url.endsWith('/own-keys') ? own(`${issuer}/keys`) : Response.json({ jwks_uri: `${extra}/own-keys` })
  }
  const status = async (iss: string) => {
    const token = await sign({ iss, aud: 'api', sub: 'runner', exp: 1_700_003_600 })
    return (await browser.check('/api/x', { headers: { authorization: `Bearer ${token}` } })).status
  }
  expect(await status('https://stranger.example')).toBe(401)
  expect(asked).toEqual([])
  for (let round = 0; round < 50; round += 1) expect(await status(extra)).toBe(503)
  expect(asked).toEqual(['/.well-known/openid-configuration'])
  isAway = false
  clock.time += 10_000
  expect(await status(extra)).toBe(200)
  expect(asked.at(-1)).toBe('/own-keys')
})

test('a thousand made-up key ids cost the provider one request', async () => {
  const { browser, provider } = await proxyWorld({ skip_jwt_bearer_tokens: true })
  const [, body = '', signature = ''] = (await sign(machine())).split('.')
  for (let index = 0; index < 1000; index += 1) {
    const header = Buffer.from(JSON.stringify({ alg: 'RS256', kid: `made-up-${index}` })).toString('base64url')
    const answer = await browser.check('/api/x', {
      headers: { authorization: `Bearer ${header}.${body}.${signature}` },
    })
    expect(answer.status).toBe(401)
  }
  expect(provider.requests.filter((request) => request.endsWith('/keys'))).toHaveLength(1)
})

test('while the keys cannot be had, nobody is let in and nobody is logged out', async () => {
  const { browser, provider } = await proxyWorld({ skip_jwt_bearer_tokens: true })
  provider.isDown = true
  const answer = await browser.check('/api/x', { headers: { authorization: `Bearer ${await sign(machine())}` } })
  expect([answer.status, answer.headers['set-cookie']]).toEqual([503, undefined])
})

test('names beyond ASCII travel as UTF-8 bytes, and nothing can end a header', async () => {
  const { browser, signIn, provider } = await proxyWorld()
  provider.account = { ...ada, preferred_username: 'Ádá\r\nx-evil: 1', groups: ['größe', 'a,admins', 'b\nc'] }
  await signIn()
  const { headers } = await browser.check('/x')
  expect(headers['x-auth-request-preferred-username']).toBeUndefined()
  expect(Buffer.from(headers['x-auth-request-groups'] ?? '', 'latin1').toString()).toBe('größe')
})

test('the access token is passed on where that is configured', async () => {
  const { browser, signIn } = await proxyWorld({ pass_access_token: true })
  await signIn()
  expect((await browser.check('/x')).headers['x-auth-request-access-token']).toBe('access-2')
})
