import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { planAuthservice } from '../../src/app/authservice/plan-authservice.ts'
import type { Fetch } from '../../src/http/part.ts'
import { systemClock } from '../../src/kit/clock.ts'
import type { ProxyConfig } from '../../src/proxy/config.ts'
import { askByGrpc } from '../world/grpc-check.ts'
import { type AuthserviceWorld, authserviceWorld } from './authservice-world.ts'
import { ada, issuer, kubeflow, openTestProvider, origin, sign } from './proxy-world.ts'

let world: AuthserviceWorld | undefined
afterEach(async () => {
  await world?.end()
  world = undefined
})

const common = {
  OIDC_PROVIDER: issuer,
  OIDC_AUTH_URL: '/dex/auth',
  CLIENT_ID: kubeflow.client_id,
  CLIENT_SECRET: kubeflow.client_secret,
}

/** The variables of the three generations, as Kubeflow 1.6, Kubeflow 1.8 and the last release have them. */
const generations = {
  A: {
    ...common,
    OIDC_SCOPES: 'profile email groups',
    REDIRECT_URL: `${origin}/login/oidc`,
    SKIP_AUTH_URI: '/dex /public',
    USERID_HEADER: 'kubeflow-userid',
    STORE_PATH: '/var/lib/authservice/data.db',
    PORT: '8080',
    SELF_URL: origin,
    DISABLE_USERINFO: 'True',
  },
  B: {
    ...common,
    OIDC_SCOPES: 'profile email groups',
    REDIRECT_URL: `${origin}/authservice/oidc/callback`,
    AUTHSERVICE_URL_PREFIX: '/authservice/',
    SKIP_AUTH_URLS: '/dex,/public',
    AFTER_LOGOUT_URL: '/',
    PORT: '"8080"',
    STORE_PATH: '/var/lib/authservice/data.db',
  },
  C: {
    ...common,
    OIDC_SCOPES: 'openid,profile,email,groups',
    AUTHSERVICE_URL_PREFIX: '/authservice/',
    SKIP_AUTH_URLS: '/dex,/public',
    SESSION_STORE_TYPE: 'boltdb',
  },
}

interface Started {
  readonly variables?: Record<string, string>
  /** Answers in place of the provider. */
  readonly answer?: (request: Request) => Promise<Response | undefined> | Response | undefined
  readonly config?: Partial<ProxyConfig>
  readonly isDown?: boolean
}

async function started({ variables = generations.C, answer, config = {}, isDown = false }: Started = {}) {
  const provider = openTestProvider(systemClock)
  provider.isDown = isDown
  const asked: Request[] = []
  const reach: Fetch = async (input, init) => {
    const request = new Request(input, init)
    asked.push(request.clone())
    return (await answer?.(request)) ?? provider.fetch(request)
  }
  const opened = await authserviceWorld(variables, { reach, config })
  world = opened
  if (!isDown) await opened.ready()
  async function signIn(path = '/pipeline/?x=1') {
    const { headers } = await opened.ask(path)
    return opened.ask(provider.signIn(headers.location ?? ''))
  }
  return { ...opened, provider, asked, signIn }
}

const inSeconds = (seconds: number) => Math.floor(Date.now() / 1000) + seconds
const tokenFor = (aud: string, claims: Record<string, unknown> = {}) =>
  sign({ iss: issuer, sub: 'robot', email: 'robot@example.com', groups: ['ml'], exp: inSeconds(600), aud, ...claims })
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })

describe.each(Object.entries(generations))('generation %s', (generation, variables) => {
  const callbackPath = generation === 'A' ? '/login/oidc' : '/authservice/oidc/callback'

  test('any path and method is sent to the provider, and comes back to the first URL with a session', async () => {
    const { ask, provider, cookies, cookieHeader } = await started({ variables })
    const refused = await ask('/pipeline/?x=1')
    expect(refused.status).toBe(302)
    expect(refused.headers.location).toMatch(/^\/dex\/auth\?/)
    const back = await ask(provider.signIn(refused.headers.location ?? ''))
    expect([back.status, back.headers.location]).toEqual([302, '/pipeline/?x=1'])
    expect(cookies.has('authservice_session')).toBe(true)
    const allowed = await ask('/pipeline/', { method: 'DELETE' })
    expect(allowed.status).toBe(200)
    expect(allowed.headers).toMatchObject({ 'kubeflow-userid': ada.email, 'kubeflow-groups': 'ml,admins' })
    expect(allowed.headers.authorization).toBeUndefined()
    expect(cookieHeader().length).toBeLessThan(400) // a ticket; the tokens are in the store
  })

  test('a background request is answered 401, not sent to a page', async () => {
    const { ask } = await started({ variables })
    expect((await ask('/x', { headers: { 'sec-fetch-mode': 'cors' } })).status).toBe(401)
    expect((await ask('/x', { headers: { accept: 'application/json' } })).status).toBe(401)
  })

  test('an exempt path passes, and a made-up identity is overwritten', async () => {
    const { ask } = await started({ variables })
    const passed = await ask('/dex/keys', { headers: { 'kubeflow-userid': 'root@example.com' } })
    expect(passed.status).toBe(200)
    expect(passed.headers).toMatchObject({ 'kubeflow-userid': '', 'kubeflow-groups': '' })
    expect((await ask('/public/../x')).status).toBe(302)
  })

  test('there are no probes among the paths: each may be an app’s', async () => {
    const { ask } = await started({ variables })
    for (const path of ['/ping', '/ready', '/robots.txt', '/oauth2/auth']) expect((await ask(path)).status).toBe(302)
  })

  test('while the provider is not known: 503, but for exempt paths, and so the probe', async () => {
    const { ask, running, provider, ready } = await started({ variables, isDown: true })
    const refused = await ask('/pipeline/')
    expect([refused.status, refused.text]).toEqual([503, 'OIDC Setup is not complete yet.'])
    expect((await ask('/dex/keys')).status).toBe(200)
    const { readiness } = running.ports
    expect((await ask('/any/path', { port: readiness })).status).toBe(503)
    expect(provider.requests.length).toBeGreaterThan(0)
    expect(ready).toBeDefined()
  })

  test('the probe is 200 at any path once it is', async () => {
    const { ask, running } = await started({ variables })
    expect((await ask('/any/path', { port: running.ports.readiness })).status).toBe(200)
  })

  test('a session is taken from `X-Auth-Token` and from `Authorization`, too', async () => {
    const { ask, signIn, cookies } = await started({ variables })
    await signIn()
    const session = cookies.get('authservice_session') ?? ''
    cookies.clear()
    for (const headers of [{ 'x-auth-token': session }, { authorization: `Bearer ${session}` }]) {
      const { status, headers: told } = await ask('/x', { headers })
      expect([status, told['kubeflow-userid'], told['auth-method']]).toEqual([200, ada.email, 'header'])
      expect(
        (await ask('/x', { headers: { ...headers, authorization: 'Bearer nonsense', 'x-auth-token': '' } })).status,
      ).toBe(302)
    }
  })

  test('a callback that brings nothing leads to the home page', async () => {
    const { ask, running } = await started({ variables })
    const { status, headers } = await ask(callbackPath)
    expect([status, headers.location]).toEqual([302, '/authservice/site/homepage'])
    for (const path of ['/authservice/site/homepage', '/site/homepage']) {
      const page = await ask(path, { port: running.ports.pages })
      expect([page.status, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8'])
    }
    expect((await ask('/authservice/site/homepage')).status).toBe(200)
    expect((await ask('/pipeline', { port: running.ports.pages })).status).toBe(404)
  })

  test('a callback whose state is unknown is refused, without a session', async () => {
    const { ask, cookies } = await started({ variables })
    const { status } = await ask(`${callbackPath}?code=c&state=made-up`)
    expect(status).toBeGreaterThanOrEqual(400)
    expect(cookies.has('authservice_session')).toBe(false)
  })

  test('the dashboards sign out: by link 302, by script 201 with a URL', async () => {
    for (const isLink of [true, false]) {
      const { ask, signIn, cookies } = await started({ variables })
      await signIn()
      const before = `authservice_session=${cookies.get('authservice_session')}`
      const answer = isLink
        ? await ask('/logout')
        : await ask('/authservice/logout', { method: 'POST', headers: { authorization: 'Bearer ' } })
      expect(answer.status).toBe(isLink ? 302 : 201)
      if (!isLink) expect(JSON.parse(answer.text)).toHaveProperty('afterLogoutURL')
      expect(cookies.has('authservice_session')).toBe(false)
      expect((await ask('/x', { headers: { cookie: before } })).status).toBe(302)
      await world?.end()
      world = undefined
    }
  })

  test('by gRPC the check is the same', async () => {
    const { ask, signIn, cookieHeader, running } = await started({ variables })
    const port = running.ports.grpc ?? 0
    expect(await askByGrpc(port)).toMatchObject({ verdict: 'deny', status: 302 })
    expect(await askByGrpc(port, { path: '/dex/keys', headers: { 'kubeflow-userid': 'root' } })).toMatchObject({
      verdict: 'allow',
      allowance: { requestHeaders: [], removedHeaders: ['kubeflow-userid'] },
    })
    await signIn()
    expect((await ask('/x')).status).toBe(200)
    const { verdict, allowance } = await askByGrpc(port, {
      headers: { cookie: `a=1; ${cookieHeader()}`, auth_method: 'header' },
    })
    expect(verdict).toBe('allow')
    expect(allowance?.removedHeaders).toEqual(['auth_method'])
    const set = Object.fromEntries((allowance?.requestHeaders ?? []).map(({ name, value }) => [name, value]))
    expect(set).toMatchObject({ cookie: 'a=1', 'kubeflow-userid': ada.email })
  })
})

test('nginx asks below /verify: 204 with the identity, 401, 403, never a login', async () => {
  const { ask, signIn } = await started({ variables: { ...generations.C, GROUPS_ALLOWLIST: 'ml' } })
  expect((await ask('/authservice/verify/pipeline')).status).toBe(401)
  expect((await ask('/authservice/verify/dex/keys')).status).toBe(204)
  await signIn()
  const { status, headers } = await ask('/authservice/verify/pipeline')
  expect([status, headers['kubeflow-userid']]).toEqual([204, ada.email])
})

test('who is in none of the groups is told so, with a way to sign in as somebody else', async () => {
  const { signIn, ask } = await started({ variables: { ...generations.C, GROUPS_ALLOWLIST: 'ops' } })
  expect((await signIn()).status).toBe(403)
  const page = await ask('/x')
  expect([page.status, page.headers['content-type']]).toEqual([403, 'text/html; charset=utf-8'])
  expect(page.text).toContain('href="/authservice/sign_out"')
})

describe('tokens', () => {
  const audience = 'istio-ingressgateway.istio-system.svc.cluster.local'

  test.each([[audience], ['istio-ingressgateway.kubeflow.svc.cluster.local']])(
    'an access token for %s counts',
    async (aud) => {
      const { ask } = await started()
      const { status, headers } = await ask('/x', bearer(await tokenFor(aud)))
      expect([status, headers['kubeflow-userid'], headers['auth-method']]).toEqual([200, 'robot@example.com', 'header'])
    },
  )

  test('one for us that is bad is answered 401, even beside a session; one for others leaves it to them', async () => {
    const { ask, signIn } = await started()
    await signIn()
    const expired = { exp: inSeconds(-600) }
    for (const bad of [{ ...expired }, { groups: undefined }, { groups: 'ml' }]) {
      expect((await ask('/x', bearer(await tokenFor(audience, bad)))).status).toBe(401)
    }
    expect((await ask('/x', bearer(await tokenFor('another', expired)))).status).toBe(200)
    expect((await ask('/x', bearer(await tokenFor(audience, { iss: 'https://other.example' })))).status).toBe(200)
    expect((await ask('/x', { headers: { authorization: 'token of-jupyter' } })).status).toBe(200)
  })

  test('an ID token counts without groups; a bad one leads to the login', async () => {
    const { ask } = await started()
    const good = await ask('/x', bearer(await tokenFor(kubeflow.client_id, { groups: undefined })))
    expect([good.status, good.headers['kubeflow-groups']]).toEqual([200, ''])
    expect((await ask('/x', bearer(await tokenFor(kubeflow.client_id, { exp: inSeconds(-600) })))).status).toBe(302)
  })

  test('each kind can be switched off, and has a header of its own', async () => {
    const off = { ...generations.C, IDTOKEN_AUTHN_ENABLED: 'false', ACCESS_TOKEN_AUTHN_ENABLED: 'false' }
    const { ask } = await started({ variables: off })
    expect((await ask('/x', bearer(await tokenFor(audience)))).status).toBe(302)
    expect((await ask('/x', bearer(await tokenFor(kubeflow.client_id)))).status).toBe(302)
    await world?.end()
    const elsewhere = { ...generations.C, ID_TOKEN_HEADER: 'X-Id-Token', AUTH_HEADER: 'X-Auth' }
    const other = await started({ variables: elsewhere })
    expect((await other.ask('/x', { headers: { 'x-id-token': await tokenFor(kubeflow.client_id) } })).status).toBe(200)
    expect((await other.ask('/x', { headers: { 'x-auth': `Bearer ${await tokenFor(audience)}` } })).status).toBe(200)
    expect((await other.ask('/x', bearer(await tokenFor(audience)))).status).toBe(302)
  })

  test('opaque ones are shown to the userinfo endpoint, once a minute; user and groups must be there', async () => {
    const profiles: Record<string, object> = {
      good: { sub: 's', email: 'robot@example.com', groups: ['ml'] },
      poor: { sub: 's', email: 'robot@example.com' },
    }
    const { ask, asked } = await started({
      variables: { ...generations.C, ACCESS_TOKEN_AUTHN: 'opaque' },
      answer(request) {
        if (!request.url.endsWith('/userinfo')) return undefined
        const profile = profiles[(request.headers.get('authorization') ?? '').replace('Bearer ', '')]
        return profile ? Response.json(profile) : new Response('', { status: 401 })
      },
    })
    for (let round = 0; round < 2; round += 1) {
      const { status, headers } = await ask('/x', bearer('good'))
      expect([status, headers['kubeflow-userid'], headers['kubeflow-groups']]).toEqual([200, 'robot@example.com', 'ml'])
      expect((await ask('/x', bearer('poor'))).status).toBe(401)
      expect((await ask('/x', bearer('unknown'))).status).toBe(302)
    }
    expect(asked.filter(({ url }) => url.endsWith('/userinfo'))).toHaveLength(3)
  })

  test('service accounts are reviewed; one the API server no longer knows is answered 401', async () => {
    const account = 'system:serviceaccount:team-a:default-editor'
    const reviewed: unknown[] = []
    const directory = mkdtempSync(join(tmpdir(), 'gatehouse-account-'))
    const tokenFile = join(directory, 'token')
    writeFileSync(tokenFile, 'our own')
    const isKnown = (token: string) => token !== dead
    const dead = await tokenFor(audience, {
      iss: 'https://kubernetes.default.svc',
      sub: account,
      aud: [audience],
      jti: '1',
    })
    const { ask, plan } = await started({
      config: {
        kubernetes_token_audiences: [audience],
        kubernetes_token_file: tokenFile,
      },
      async answer(request) {
        if (!request.url.startsWith('https://kubernetes.default.svc/')) return undefined
        const { spec } = (await request.json()) as { spec: { token: string; audiences: string[] } }
        reviewed.push(spec.audiences)
        const user = { username: account, groups: ['system:serviceaccounts'] }
        const authenticated = isKnown(spec.token)
        return Response.json({
          status: authenticated ? { authenticated, audiences: spec.audiences, user } : { authenticated },
        })
      },
    })
    const claims = { iss: 'https://kubernetes.default.svc', sub: account, aud: [audience] }
    const good = await tokenFor(audience, { ...claims, exp: 4_000_000_000 })
    for (let round = 0; round < 2; round += 1) {
      const { status, headers } = await ask('/x', bearer(good))
      expect([status, headers['kubeflow-userid'], headers['kubeflow-groups']]).toEqual([
        200,
        account,
        'system:serviceaccounts',
      ])
    }
    expect((await ask('/x', bearer(dead))).status).toBe(401)
    expect(reviewed).toHaveLength(2) // the second request with the good one asked nobody
    expect(plan.config.kubernetes_token_review).toBe(true)
    rmSync(directory, { recursive: true })
  })
})

describe('external authorization', () => {
  const variables = { ...generations.C, EXTERNAL_AUTHZ_URL: 'http://authz.example/check' }

  async function asking(status: () => number) {
    const questions: unknown[] = []
    const opened = await started({
      variables,
      async answer(request) {
        if (request.url !== variables.EXTERNAL_AUTHZ_URL) return undefined
        questions.push(await request.json())
        return new Response(status() === 204 ? null : 'not on Sundays', { status: status() })
      },
    })
    return { ...opened, questions }
  }

  test('is asked about each request, in the original’s words', async () => {
    const { ask, signIn, questions } = await asking(() => 204)
    await signIn()
    expect((await ask('/pipeline/?x=1', { method: 'PUT' })).status).toBe(200)
    expect((await ask('/pipeline/?x=1')).status).toBe(200)
    expect(questions).toHaveLength(2)
    expect(questions[0]).toEqual({
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      user: {
        name: ada.email,
        id: ada.sub,
        groups: ['ml', 'admins'],
        extra: { 'auth-method': ['cookie'] },
        claims: null,
      },
      request: { host: 'kubeflow.example.com', port: 80, path: '/pipeline/', method: 'PUT' },
    })
    expect((await ask('/dex/keys')).status).toBe(200)
    expect(questions).toHaveLength(2)
  })

  test('refuses with its reason, at every door, and takes it back at once', async () => {
    let status = 403
    const { ask, signIn, running, cookieHeader } = await asking(() => status)
    await signIn()
    const refused = await ask('/x')
    expect([refused.status, refused.text.includes('not on Sundays')]).toEqual([403, true])
    expect((await ask('/authservice/verify/x')).status).toBe(403)
    expect((await ask('/authservice/auth')).status).toBe(403)
    const byGrpc = await askByGrpc(running.ports.grpc ?? 0, { headers: { cookie: cookieHeader() } })
    expect(byGrpc).toMatchObject({ verdict: 'deny', status: 403 })
    status = 500
    expect((await ask('/x')).status).toBe(403)
    status = 204
    expect((await ask('/x')).status).toBe(200)
  })

  test('that is down lets nobody pass', async () => {
    const { ask, signIn } = await started({
      variables,
      answer(request) {
        if (request.url === variables.EXTERNAL_AUTHZ_URL) throw new TypeError('connection refused')
        return undefined
      },
    })
    await signIn()
    expect((await ask('/x')).status).toBe(403)
  })
})

test('with strict validation a session ends when the provider no longer takes its access token', async () => {
  let isRevoked = false
  const { ask, signIn } = await started({
    variables: { ...generations.C, STRICT_SESSION_VALIDATION: 'true' },
    answer: (request) =>
      request.url.endsWith('/userinfo') && isRevoked ? new Response('', { status: 401 }) : undefined,
  })
  isRevoked = true
  await signIn()
  expect((await ask('/x')).status).toBe(302)
})

describe('the variables', () => {
  const read = (variables: Record<string, string>, readFile = () => '') =>
    planAuthservice({ variables: { ...generations.C, KUBERNETES_AUTHN_ENABLED: 'false', ...variables }, readFile })
  const problemsOf = (variables: Record<string, string>) => {
    try {
      return read(variables).warnings.map(({ path }) => path)
    } catch (error) {
      return error instanceof Error ? error.message : ''
    }
  }

  test('the listeners are where the original has them', () => {
    expect(read({})).toMatchObject({ ports: { check: 8080, readiness: 8081, pages: 8082 }, host: undefined })
  })

  test('the key that seals cookies is the same for every replica, and another for another client', () => {
    const secretOf = (variables: Record<string, string>) => read(variables).config.cookie_secret
    expect(secretOf({})).toBe(secretOf({ SERVER_PORT: '1' }))
    expect(secretOf({})).not.toBe(secretOf({ CLIENT_SECRET: 'another' }))
    expect(secretOf({})).not.toBe(secretOf({ OIDC_PROVIDER: 'https://other.example' }))
    expect(secretOf({ GATEHOUSE_COOKIE_SECRET: '0123456789abcdef' })).toBe('0123456789abcdef')
  })

  test('bolt’s place is taken by a database beside it, Redis stays Redis', () => {
    expect(read({ SESSION_STORE_PATH: '/tmp/data.db' }).config).toMatchObject({
      session_store_type: 'sqlite',
      database_file: '/tmp/gatehouse.db',
    })
    const redis = { SESSION_STORE_TYPE: 'redis', SESSION_STORE_REDIS_ADDR: 'redis:6379', SESSION_STORE_REDIS_DB: '2' }
    expect(read({ ...redis, SESSION_STORE_REDIS_PWD: 'p/w' }).config).toMatchObject({
      session_store_type: 'redis',
      redis_connection_url: 'redis://redis:6379/2',
      redis_password: 'p/w',
    })
  })

  test('where nothing can be written sessions are in memory, and that is told', () => {
    const { config, warnings } = read({ SESSION_STORE_PATH: '/proc/nowhere/data.db' })
    expect(config.database_file).toBe('')
    expect(warnings.map(({ path }) => path)).toEqual(['SESSION_STORE_PATH'])
  })

  test('a cluster that is not there is told, and a mistake where it was asked for', () => {
    expect(problemsOf({ KUBERNETES_AUTHN_ENABLED: '' })).toContain('KUBERNETES_AUTHN_ENABLED')
    expect(problemsOf({ KUBERNETES_AUTHN_ENABLED: 'true' })).toMatch(/^environment: error: KUBERNETES_AUTHN_ENABLED/m)
  })

  test('stale ones and misspelled ones are told, never fatal', () => {
    const stale = { PORT: '"8080"', SELF_URL: 'x', DISABLE_USERINFO: 'True', THEME: 'dark', TEMPLATE_CONTEXT_A: 'b' }
    const services = {
      AUTHSERVICE_SERVICE_HOST: '10.0.0.1',
      AUTHSERVICE_PORT: 'tcp://10.0.0.1:8080',
      PATH: '/bin',
      AWS_CA_BUNDLE: '/ca.pem',
    }
    expect(problemsOf({ ...stale, ...services, SKIP_AUTH_URL: '/x', SESSION_STORE_PATH: '/tmp/data.db' })).toEqual([
      ...['THEME', 'PORT', 'SELF_URL', 'DISABLE_USERINFO', 'TEMPLATE_CONTEXT_A', 'SKIP_AUTH_URL'],
    ])
  })

  test.each([
    ['LOG_LEVEL', 'LOUD'],
    ['SERVER_PORT', 'http'],
    ['SESSION_STORE_TYPE', 'etcd'],
    ['ACCESS_TOKEN_AUTHN', 'maybe'],
    ['STRICT_SESSION_VALIDATION', 'often'],
    ['EXTERNAL_AUTHZ_URL', 'authz'],
    ['GATEHOUSE_COOKIE_SECRET', 'short'],
    ['GATEHOUSE_PATH_PREFIX', 'extauth'],
  ])('%s may not be `%s`', (name, value) => {
    expect(problemsOf({ [name]: value })).toMatch(new RegExp(`^environment: error: ${name}:`, 'm'))
  })

  test('an authority that cannot be read is a mistake, an empty file is none', () => {
    const gone = () => {
      throw new Error('no such file')
    }
    expect(() => read({ CA_BUNDLE: '/gone.pem' }, gone)).toThrow(/CA_BUNDLE: `\/gone.pem` cannot be read/)
    expect(read({ CA_BUNDLE: '/empty.pem' }).config.provider_ca_files).toEqual([])
    const pem = '-----BEGIN CERTIFICATE-----'
    expect(read({ CA_BUNDLE: '/ca.pem' }, () => pem).config).toMatchObject({
      provider_ca_files: ['/ca.pem'],
      use_system_trust_store: true,
    })
  })

  test('a bolt file that is there is left alone, and named', async () => {
    const { plan, end } = await started()
    const directory = join(plan.config.database_file, '..')
    writeFileSync(join(directory, 'data.db'), 'bolt')
    expect(problemsOf({ SESSION_STORE_PATH: join(directory, 'data.db') })).toEqual(['SESSION_STORE_PATH'])
    await end()
    world = undefined
  })
})
