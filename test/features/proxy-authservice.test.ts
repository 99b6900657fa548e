import { expect, test } from 'vitest'
import { Problems } from '../../src/kit/problems.ts'
import { parseAuthserviceEnv } from '../../src/proxy/authservice/parse-environment.ts'
import { ada, issuer, kubeflow, origin, proxyWorldOf, sign } from './proxy-world.ts'

const variables = {
  OIDC_PROVIDER: issuer,
  OIDC_AUTH_URL: '/dex/auth',
  OIDC_SCOPES: 'profile email',
  AUTHSERVICE_URL_PREFIX: '/authservice/',
  SKIP_AUTH_URLS: '/dex/,/public',
  AFTER_LOGOUT_URL: '/',
  REDIRECT_URL: `${origin}/authservice/oidc/callback`,
  CLIENT_ID: kubeflow.client_id,
  CLIENT_SECRET: kubeflow.client_secret,
}

async function authservice(more: Record<string, string> = {}) {
  const problems = new Problems()
  const env = { values: { ...variables, ...more } }
  const config = parseAuthserviceEnv(env, { cookieSecret: 'sixteen bytes !!', problems })
  problems.throwIfAny()
  if (!config) throw new TypeError('no configuration')
  return proxyWorldOf(config)
}

test('a visitor is sent to the provider, comes back to the first URL, and apps learn who it is', async () => {
  const { browser, provider } = await authservice()
  const refused = await browser.check('/pipeline/?x=1')
  expect(refused.status).toBe(302)
  const location = refused.headers['location'] ?? ''
  expect(location).toMatch(/^\/dex\/auth\?/)
  const { searchParams } = new URL(location, origin)
  expect(searchParams.get('redirect_uri')).toBe(variables.REDIRECT_URL)
  expect(searchParams.get('scope')).toBe('openid profile email')

  const back = await browser.get(provider.signIn(location))
  expect(back.headers.get('location')).toBe('/pipeline/?x=1')
  expect(browser.cookies.has('authservice_session')).toBe(true)

  const allowed = await browser.check('/pipeline/?x=1')
  expect(allowed.status).toBe(200)
  expect(allowed.headers).toMatchObject({ 'kubeflow-userid': ada.email, 'kubeflow-groups': 'ml,admins' })
  expect(allowed.headers['authorization']).toMatch(/^Bearer ey/)
})

test('a background request gets 401 instead of the redirect', async () => {
  const { browser } = await authservice()
  expect((await browser.check('/x', { headers: { 'sec-fetch-mode': 'cors' } })).status).toBe(401)
})

test('skipped prefixes pass without identity, and only as the upstream reads the path', async () => {
  const { browser } = await authservice()
  const passed = await browser.check('/dex/keys')
  expect([passed.status, passed.headers['kubeflow-userid']]).toEqual([200, undefined])
  expect((await browser.check('/dex/../pipeline')).status).toBe(302)
  expect((await browser.check('/x?/dex/')).status).toBe(302)
})

test('the user id has its header, prefix, claim and transformation', async () => {
  const { browser, signIn, provider } = await authservice({
    USERID_HEADER: 'X-User',
    GROUPS_HEADER: 'X-Groups',
    USERID_PREFIX: 'accounts:',
    USERID_CLAIM: 'upn',
    GROUPS_CLAIM: 'roles',
    USERID_TRANSFORMERS: '[{"matches":"^(.*)@corp\\\\.com$","replaces":"$1"},{"matches":".","replaces":"x"}]',
  })
  provider.account = { sub: 's', upn: 'ada@corp.com', roles: [] }
  await signIn()
  const { headers } = await browser.check('/x')
  expect(headers['x-user']).toBe('accounts:ada')
  expect(headers['x-groups']).toBe('')
})

test('a group allow-list is enforced', async () => {
  const { browser, signIn } = await authservice({ GROUPS_ALLOWLIST: 'ops' })
  expect((await signIn()).status).toBe(403)
  expect((await browser.check('/x')).status).toBe(403)
})

test('AFTER_LOGIN_URL gets the first URL as `next`', async () => {
  const { signIn } = await authservice({ AFTER_LOGIN_URL: '/start' })
  expect((await signIn('/page?x=1')).headers.get('location')).toBe('/start?next=%2Fpage%3Fx%3D1')
})

test("the dashboard's logout gets 201 and a URL that ends at the registered redirect URI", async () => {
  const { browser, signIn } = await authservice()
  await signIn()
  const answer = await browser.get('/authservice/logout', { authorization: 'Bearer ' }, 'POST')
  expect(answer.status).toBe(201)
  const { afterLogoutURL } = (await answer.json()) as { afterLogoutURL: string }
  const url = new URL(afterLogoutURL, origin)
  expect(url.pathname).toBe('/dex/logout')
  expect(url.searchParams.get('post_logout_redirect_uri')).toBe(variables.REDIRECT_URL)
  expect((await browser.check('/x')).status).toBe(302)

  const end = await browser.get(`/authservice/oidc/callback?state=${url.searchParams.get('state')}`)
  expect(end.status).toBe(200)
  expect(await end.text()).toContain('You are signed out')
})

test('an own page after logout is the last stop', async () => {
  const { browser } = await authservice({ AFTER_LOGOUT_URL: 'https://corp.example/bye' })
  expect((await browser.get('/authservice/oidc/callback?state=%2F')).headers.get('location')).toBe(
    'https://corp.example/bye',
  )
})

test('/verify answers nginx: 204 with the identity, 401, 403, never a login', async () => {
  const { browser, signIn } = await authservice()
  expect((await browser.get('/authservice/verify/pipeline')).status).toBe(401)
  expect((await browser.get('/authservice/verify/dex/keys')).status).toBe(204)
  await signIn()
  const answer = await browser.get('/authservice/verify')
  expect([answer.status, answer.headers.get('kubeflow-userid')]).toEqual([204, ada.email])
  const denied = await authservice({ GROUPS_ALLOWLIST: 'ops' })
  await denied.signIn()
  expect((await denied.browser.get('/authservice/verify')).status).toBe(403)
})

test("a machine's token for the configured audience is a session", async () => {
  const { browser } = await authservice()
  const token = await sign({
    ...{ iss: issuer, sub: 'robot', email: 'robot@example.com', groups: [], exp: 1_700_003_600 },
    aud: 'istio-ingressgateway.istio-system.svc.cluster.local',
  })
  const answer = await browser.check('/x', { headers: { authorization: `Bearer ${token}` } })
  expect([answer.status, answer.headers['kubeflow-userid']]).toEqual([200, 'robot@example.com'])
})

test('the first generation signs in at /login/oidc and sends the ID token in a header', async () => {
  const { AUTHSERVICE_URL_PREFIX: _prefix, SKIP_AUTH_URLS: _skip, ...old } = variables
  const problems = new Problems()
  const values = { ...old, REDIRECT_URL: `${origin}/login/oidc`, SKIP_AUTH_URI: '/dex' }
  const config = parseAuthserviceEnv({ values }, { cookieSecret: 'sixteen bytes !!', problems })
  if (!config) throw new TypeError('no configuration')
  const { browser, signIn } = await proxyWorldOf(config)
  expect((await signIn('/page')).headers.get('location')).toBe('/page')
  const { headers } = await browser.check('/x')
  expect(headers['authorization']).toBe(`Bearer ${headers['kubeflow-userid-token']}`)
})
