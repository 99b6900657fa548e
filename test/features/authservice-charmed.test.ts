import { afterEach, describe, expect, test } from 'vitest'
import { askByGrpc } from '../world/grpc-check.ts'
import { type Answered, type AuthserviceWorld, authserviceWorld } from './authservice-world.ts'
import { issuer, openBrowser, openWorld, testClock, user } from './broker-world.ts'

let world: AuthserviceWorld | undefined
afterEach(async () => {
  await world?.end()
  world = undefined
})

/** What the charm of oidc-gatekeeper sets (its src/charm.py). */
const charm = {
  AFTER_LOGIN_URL: '/',
  AFTER_LOGOUT_URL: '/',
  AUTHSERVICE_URL_PREFIX: '/authservice/',
  CLIENT_ID: 'authservice-oidc',
  CLIENT_SECRET: 'thirty characters of the peers',
  DISABLE_USERINFO: 'True',
  OIDC_AUTH_URL: '/dex/auth',
  OIDC_PROVIDER: issuer,
  OIDC_SCOPES: 'profile email groups',
  SERVER_PORT: '0',
  USERID_CLAIM: 'email',
  USERID_HEADER: 'kubeflow-userid',
  USERID_PREFIX: '',
  OIDC_STATE_STORE_PATH: 'oidc_state.db',
  SKIP_AUTH_URLS: '/dex/',
  GATEHOUSE_PATH_PREFIX: '/extauth',
}
/** What the charm of 2020 set, behind an Ambassador whose Mapping `/oidc` is rewritten to `/`. */
const { AUTHSERVICE_URL_PREFIX: _prefix, AFTER_LOGIN_URL: _login, AFTER_LOGOUT_URL: _logout, ...rest } = charm
const firstCharm = { ...rest, REDIRECT_URL: 'https://kubeflow.example.com/oidc/login/oidc', STORE_PATH: 'bolt.db' }

/** Headers Emissary shows the AuthService beside those it is told to, and hands back (its V3Listener's ext_authz). */
const shown = [
  'authorization',
  'cookie',
  'from',
  'proxy-authorization',
  'user-agent',
  'x-forwarded-proto',
  'x-auth-token',
]
const handedBack = [
  'location',
  'authorization',
  'proxy-authenticate',
  'set-cookie',
  'www-authenticate',
  'kubeflow-userid',
]

const only = <Value>(headers: Readonly<Record<string, Value>>, names: readonly string[]) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => names.includes(name)))

/** Dex's place taken by our broker, Ambassador's by what it does, and a browser. */
async function charmed(variables: Record<string, string>, redirectUri: string) {
  const { CLIENT_ID: id = '', CLIENT_SECRET: secret = '' } = variables
  const client = { id, secret, name: 'Ambassador Auth OIDC', redirectURIs: [redirectUri] }
  const { broker } = await openWorld({ staticClients: [client] }, { clock: testClock(Date.now()) })
  const context = { requestId: 'test', clientAddress: '10.0.0.9' }
  const opened = await authserviceWorld(variables, {
    reach: async (input, init) => broker.fetch(new Request(input, init), context),
  })
  world = opened
  await opened.ready()

  /** Asks about a request by HTTP, as Emissary does; 200 is what reaches the app. */
  async function ambassador(path: string, headers: Record<string, string> = {}): Promise<Answered> {
    const asked = only({ 'user-agent': 'Mozilla/5.0', 'x-forwarded-proto': 'https', ...headers }, shown)
    const answer = await opened.ask(`/extauth${path}`, { headers: asked })
    return { ...answer, headers: only(answer.headers, handedBack) }
  }

  /** Signs in at Dex, which Ambassador does not ask about. @returns the callback's path */
  async function signInAtDex(location: string): Promise<string> {
    const browser = openBrowser(broker)
    const form = await browser.follow(location)
    const answer = await browser.post(form.path, { login: user.email, password: 'password' })
    const callback = new URL(answer.headers.get('location') ?? '', 'https://kubeflow.example.com')
    return callback.pathname + callback.search
  }
  return { ...opened, ambassador, signInAtDex }
}

describe('the flow of Charmed Kubeflow', () => {
  test('by HTTP: Dex, the relative callback, the cookie, the identity, the dashboard’s sign-out', async () => {
    const { ambassador, signInAtDex, ask, cookies } = await charmed(charm, '/authservice/oidc/callback')
    const refused = await ambassador('/?ns=team-a')
    expect(refused.status).toBe(302)
    expect(refused.headers.location).toMatch(/^\/dex\/auth\?/)
    expect(refused.headers['set-cookie']).toHaveLength(1)
    const callback = await signInAtDex(refused.headers.location ?? '')
    expect(callback).toMatch(/^\/authservice\/oidc\/callback\?code=/)

    const back = await ambassador(callback)
    expect([back.status, back.headers.location]).toEqual([302, '/?next=%2F%3Fns%3Dteam-a'])
    expect(back.headers['set-cookie']?.length).toBeGreaterThan(1)
    const allowed = await ambassador('/?ns=team-a', { 'kubeflow-userid': 'root@example.com' })
    expect([allowed.status, allowed.headers['kubeflow-userid']]).toEqual([200, user.email])
    expect(allowed.headers['set-cookie']).toBeUndefined() // it would reach the app, not the browser
    expect(allowed.headers.authorization).toBeUndefined()

    const before = `authservice_session=${cookies.get('authservice_session')}`
    const signedOut = await ask('/extauth/authservice/logout', {
      method: 'POST',
      headers: { authorization: 'Bearer ' },
    })
    expect(signedOut.status).toBe(201)
    expect(JSON.parse(signedOut.text)).toHaveProperty('afterLogoutURL')
    expect((await ambassador('/', { cookie: before })).status).toBe(302)
  })

  test('behind a route that rewrites /authservice to /, past the check, the callback and the pages are found', async () => {
    const { ambassador, signInAtDex, ask, cookies, running } = await charmed(charm, '/authservice/oidc/callback')
    const { headers } = await ambassador('/')
    const callback = await signInAtDex(headers.location ?? '')
    const back = await ask(callback.replace('/authservice', ''))
    expect([back.status, cookies.has('authservice_session')]).toEqual([302, true])
    expect((await ask('/site/after_logout', { port: running.ports.pages })).status).toBe(200)
    cookies.clear() // an app's own callback at that path is judged as any other
    expect((await ask('/oidc/callback?code=c&state=s')).headers.location).toMatch(/^\/dex\/auth\?/)
  })

  test('by gRPC: the login’s cookie and its location, the identity, no cookie of ours for the app', async () => {
    const { ambassador, signInAtDex, cookies, cookieHeader, running } = await charmed(
      charm,
      '/authservice/oidc/callback',
    )
    const port = running.ports.grpc ?? 0
    const refused = await askByGrpc(port, { path: '/' })
    expect([refused.verdict, refused.status]).toEqual(['deny', 302])
    expect(refused.headers).toContain('set-cookie')
    await ambassador((await signInAtDex((await ambassador('/')).headers.location ?? '')) || '/')
    expect(cookies.has('authservice_session')).toBe(true)
    const { verdict, allowance } = await askByGrpc(port, {
      path: '/',
      headers: { cookie: `xsrf=1; ${cookieHeader()}`, 'kubeflow-userid': 'root', 'x-forwarded-email': 'root' },
    })
    expect(verdict).toBe('allow')
    expect(allowance?.removedHeaders).toEqual(['x-forwarded-email'])
    const set = Object.fromEntries((allowance?.requestHeaders ?? []).map(({ name, value }) => [name, value]))
    expect(set).toMatchObject({
      cookie: 'xsrf=1',
      'kubeflow-userid': user.email,
      'kubeflow-groups': 'team-a,team-b/sub',
    })
  })

  test.each([
    ['asked about as a check', ''],
    ['past the check, the route’s prefix rewritten to /', '/oidc'],
  ])('of 2020: the callback at /oidc/login/oidc, %s', async (_how, cut) => {
    const { ambassador, signInAtDex, ask, cookies } = await charmed(firstCharm, firstCharm.REDIRECT_URL)
    const { headers } = await ambassador('/pipeline/')
    const callback = await signInAtDex(headers.location ?? '')
    expect(callback).toMatch(/^\/oidc\/login\/oidc\?code=/)
    const back = cut === '' ? await ambassador(callback) : await ask(callback.slice(cut.length))
    expect([back.status, back.headers.location, cookies.has('authservice_session')]).toEqual([302, '/pipeline/', true])
    expect((await ambassador('/pipeline/')).headers['kubeflow-userid']).toBe(user.email)
    expect((await ask('/logout')).status).toBe(302)
  })
})
