import { expect, test } from 'vitest'
import { systemRandom } from '../../src/kit/random.ts'
import { alphaOf } from '../../src/proxy/alpha/alpha-of-config.ts'
import { providerOptionsSchema } from '../../src/proxy/alpha/provider-options.ts'
import { proxyConfigSchema } from '../../src/proxy/config.ts'
import { cookieKey } from '../../src/proxy/sessions/cookie-secret.ts'
import { openSessionCodec } from '../../src/proxy/sessions/session-codec.ts'
import { forBearer, openTestCloud } from '../world/cloud.ts'
import { ada, issuer, kubeflow, kubeflowSecret, origin, proxyWorldOf } from './proxy-world.ts'

const api = 'https://api.github.com'

/** Dex and GitHub side by side. */
async function severalWorld(settings: Record<string, unknown> = {}, github: Record<string, unknown> = {}) {
  const config = proxyConfigSchema.parse({ ...kubeflow, ...settings })
  const alpha = alphaOf(config)
  const second = providerOptionsSchema.parse({
    ...{ id: 'github', provider: 'github', clientID: 'gh-id', clientSecret: 'gh-secret' },
    ...github,
  })
  const clock = { now: () => 1_700_000_000_000 }
  const cloud = openTestCloud({
    clock,
    tokenUrl: 'https://github.com/login/oauth/access_token',
    routes: {
      [`GET ${api}/`]: forBearer({}, 'token'),
      [`GET ${api}/user`]: forBearer({ login: 'adalove' }, 'token'),
      [`GET ${api}/user/emails`]: forBearer([{ email: ada.email, primary: true, verified: true }], 'token'),
      [`GET ${api}/user/orgs`]: (_, url) =>
        Response.json(url.searchParams.get('page') === '1' ? [{ login: 'corp' }] : []),
      [`GET ${api}/user/teams`]: () => Response.json([]),
    },
  })
  const world = await proxyWorldOf(
    { ...config, alpha: { ...alpha, providers: [...alpha.providers, second] } },
    { elsewhere: cloud.fetch },
  )
  const { browser } = world

  /** The callback of a login at GitHub, not yet followed. */
  async function beginAtGitHub(target = '/'): Promise<string> {
    const started = await browser.get(`/oauth2/start?provider=github&rd=${encodeURIComponent(target)}`)
    const state = new URL(started.headers.get('location') ?? '').searchParams.get('state') ?? ''
    return `/oauth2/callback?${new URLSearchParams({ code: 'good-code', state })}`
  }

  return { ...world, cloud, beginAtGitHub }
}

test('the sign-in page offers each provider by its name', async () => {
  const { browser } = await severalWorld()
  const { status, body } = await browser.check('/page')
  expect(status).toBe(403)
  expect(body).toContain('name="provider" value="Dex">Sign in with Dex</button>')
  expect(body).toContain('name="provider" value="github">Sign in with GitHub</button>')
  expect(body).toContain('<input type="hidden" name="rd" value="/page">')
})

test.each(['/oauth2/start?provider=github', '/oauth2/sign_in?provider=github'])(
  '%s goes straight there',
  async (path) => {
    const { browser } = await severalWorld()
    const answer = await browser.get(path)
    expect(answer.status).toBe(302)
    expect(answer.headers.get('location')).toMatch(/^https:\/\/github\.com\/login\/oauth\/authorize\?.*client_id=gh-id/)
  },
)

test('a start that names none is asked which, one that names nobody is told so', async () => {
  const { browser } = await severalWorld()
  const unnamed = await browser.get('/oauth2/start?rd=/page')
  expect([unnamed.status, (await unnamed.text()).includes('Sign in with GitHub')]).toEqual([200, true])
  const unknown = await browser.get('/oauth2/start?provider=nobody')
  expect([unknown.status, (await unknown.text()).includes('does not exist here')]).toEqual([400, true])
})

test('a login goes back to the provider it began at, and the session remembers which that was', async () => {
  const { browser, beginAtGitHub, cloud, provider } = await severalWorld({
    session_cookie_minimal: true,
    set_authorization_header: false,
  })
  const back = await browser.get(await beginAtGitHub('/page'))
  expect([back.status, back.headers.get('location')]).toEqual([302, '/page'])
  expect((await browser.check('/')).headers).toMatchObject({
    ...{ 'x-auth-request-user': 'adalove', 'x-auth-request-email': ada.email, 'x-auth-request-groups': 'corp' },
  })
  expect(cloud.grants).toHaveLength(1)
  expect(provider.tokenRequests).toHaveLength(0)
})

test('with one provider the session has oauth2-proxy’s bytes and nothing else', async () => {
  const config = proxyConfigSchema.parse(kubeflow)
  const world = await proxyWorldOf(config)
  await world.signIn()
  const session = openSessionCodec({
    ...{ name: kubeflow.cookie_name, lifetimeSeconds: 86_400, clock: world.clock, random: systemRandom },
    keys: { secret: kubeflowSecret, key: cookieKey(kubeflowSecret) ?? Buffer.alloc(0) },
  }).open(world.browser.cookies.get('oauth2_proxy_kubeflow') ?? '')
  expect(session?.email).toBe(ada.email)
  expect(session).not.toHaveProperty('provider')
})

test('two tabs sign in at two providers at once', async () => {
  const { browser, beginAtGitHub, provider } = await severalWorld()
  const first = await beginAtGitHub('/one')
  const started = await browser.get('/oauth2/start?provider=Dex&rd=/two')
  const second = provider.signIn(started.headers.get('location') ?? '')
  expect((await browser.get(second)).headers.get('location')).toBe('/two')
  expect((await browser.get(first)).headers.get('location')).toBe('/one')
})

test('an answer of one provider is not taken for one of the other (RFC 9207)', async () => {
  const { browser, provider, cloud } = await severalWorld()
  const started = await browser.get('/oauth2/start?provider=Dex&rd=/')
  const callback = provider.signIn(started.headers.get('location') ?? '')
  const mixed = await browser.get(`${callback}&iss=${encodeURIComponent('https://evil.example')}`)
  expect(mixed.status).toBe(403)
  expect(await mixed.text()).toContain('not from the provider the sign-in began at')
  expect([provider.tokenRequests.length, cloud.grants.length]).toEqual([0, 0])
  expect((await browser.get(`${callback}&iss=${encodeURIComponent(issuer)}`)).status).toBe(302)
})

test('a code that comes back with the state of another provider’s login goes to that provider', async () => {
  const { browser, beginAtGitHub, provider } = await severalWorld()
  const started = await browser.get('/oauth2/start?provider=Dex&rd=/')
  const stolen = new URL(provider.signIn(started.headers.get('location') ?? ''), origin).searchParams.get('code') ?? ''
  const callback = new URL(await beginAtGitHub(), origin)
  callback.searchParams.set('code', stolen)
  await browser.get(callback.pathname + callback.search)
  expect(provider.tokenRequests).toHaveLength(0)
})

test('a login whose cookie is gone starts again at the same provider', async () => {
  const { browser, beginAtGitHub } = await severalWorld()
  const callback = await beginAtGitHub('/page')
  browser.cookies.clear()
  expect((await browser.get(callback)).headers.get('location')).toMatch(/^https:\/\/github\.com\//)
})

test('each provider has its own allowed groups', async () => {
  const inside = await severalWorld({ allowed_groups: ['admins'] }, { allowedGroups: ['corp'] })
  await inside.browser.get(await inside.beginAtGitHub())
  expect((await inside.browser.check('/')).status).toBe(200)

  const outside = await severalWorld({ allowed_groups: ['admins'] }, { allowedGroups: ['lab'] })
  const denied = await outside.browser.get(await outside.beginAtGitHub())
  expect(denied.status).toBe(403)
  expect(await denied.text()).toContain('None of its groups is allowed.')
  const started = await outside.browser.get('/oauth2/start?provider=Dex')
  await outside.browser.get(outside.provider.signIn(started.headers.get('location') ?? ''))
  expect((await outside.browser.check('/')).status).toBe(200)
})

test('a session whose provider is no longer configured is nobody’s: not admitted, its tokens sent nowhere', async () => {
  const { browser, beginAtGitHub, provider } = await severalWorld({ cookie_refresh: '30m' })
  await browser.get(await beginAtGitHub())
  const alone = await proxyWorldOf(proxyConfigSchema.parse({ ...kubeflow, cookie_refresh: '30m' }))
  for (const [name, value] of browser.cookies) alone.browser.cookies.set(name, value)
  expect((await alone.browser.check('/')).status).toBe(403)
  alone.clock.time += 31 * 60_000
  expect((await alone.browser.check('/')).status).toBe(403)
  expect([alone.provider.requests, provider.requests]).toEqual([[], []])
})

test('a session is renewed where it came from, and ends when that says so', async () => {
  const { browser, beginAtGitHub, cloud, clock } = await severalWorld({ cookie_refresh: '30m' })
  await browser.get(await beginAtGitHub())
  clock.time += 31 * 60_000
  expect((await browser.check('/')).status).toBe(200)
  expect(cloud.requests.at(-1)).not.toContain(issuer)
  cloud.routes[`GET ${api}/`] = () => new Response('', { status: 401 })
  clock.time += 20 * 60_000
  expect((await browser.check('/')).status).toBe(200)
  clock.time += 8 * 60_000
  expect((await browser.check('/')).status).toBe(200)
  clock.time += 3 * 60_000
  expect((await browser.check('/')).status).toBe(403)
})

test('signing out ends the session at the provider it came from', async () => {
  const { browser, beginAtGitHub, provider } = await severalWorld()
  await browser.get(await beginAtGitHub())
  const out = await browser.get('/oauth2/sign_out')
  expect(out.headers.get('location')).toBe('/oauth2/signed_out')

  const started = await browser.get('/oauth2/start?provider=Dex')
  await browser.get(provider.signIn(started.headers.get('location') ?? ''))
  const fromDex = await browser.get('/oauth2/sign_out')
  expect(fromDex.headers.get('location')).toContain('id_token_hint=')
})

test('someone an organization does not let in is told so, and what to do', async () => {
  const { browser, beginAtGitHub } = await severalWorld({}, { githubConfig: { org: 'lab' } })
  const answer = await browser.get(await beginAtGitHub())
  const text = await answer.text()
  expect(answer.status).toBe(403)
  expect(text).toContain('The GitHub account is not in the organization.')
  expect(text).toContain('Use another account')
})
