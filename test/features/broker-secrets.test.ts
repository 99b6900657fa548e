import { afterAll, beforeAll, expect, test } from 'vitest'
import { openLog } from '../../src/kit/log.ts'
import { openUpstream, openUpstreamBrowser, type Upstream, upstreamClient } from './broker-upstream.ts'
import {
  authPath,
  issuer,
  openBrowser,
  openWorld,
  proxyClient,
  redeem,
  testClock,
  tokenRequest,
  user,
} from './broker-world.ts'

let upstream: Upstream
beforeAll(async () => {
  upstream = await openUpstream(issuer)
  upstream.users.set('ada', { email: 'ada@example.com', name: 'Ada', preferred_username: 'ada', groups: [] })
})
afterAll(() => upstream.close())

test('no secret, token, code, cookie or password is ever written to the log', async () => {
  const lines: string[] = []
  const log = openLog({ level: 'debug', write: (line) => lines.push(line), now: () => 0 })
  const connector = {
    type: 'oidc',
    id: 'keycloak',
    name: 'Keycloak',
    config: { issuer: upstream.issuer, clientID: upstreamClient.id, clientSecret: upstreamClient.secret },
  }
  const upstreamSecrets: string[] = []
  upstream.tamper = (_path, body) => {
    for (const name of ['access_token', 'id_token', 'refresh_token']) {
      if (typeof body[name] === 'string') upstreamSecrets.push(body[name])
    }
    return body
  }
  const { broker } = await openWorld(
    { connectors: [connector] },
    { clock: testClock(Date.now()), fetch: upstream.fetch, log },
  )
  const browser = openBrowser(broker)
  const person = openUpstreamBrowser(upstream, { login: 'ada' })

  const { path } = await browser.follow(authPath({}, '/dex/auth/local'))
  await browser.post(path, { login: user.email, password: 'canary-password' })
  const { response } = await browser.follow(authPath({}, '/dex/auth/keycloak'))
  const back = new URL(await person.visit(response.headers.get('location') ?? ''))
  const answer = await browser.get(`${back.pathname}${back.search}`)
  const code = /code=([^&]+)/.exec(answer.headers.get('location') ?? '')?.[1] ?? ''
  const tokens = await redeem(broker, code)
  await tokenRequest(broker, { grant_type: 'authorization_code', code, redirect_uri: '/oauth2/callback' })
  await tokenRequest(broker, { grant_type: 'refresh_token', refresh_token: tokens.refresh_token ?? '' })
  await tokenRequest(broker, { grant_type: 'refresh_token' }, { id: proxyClient.id, secret: 'canary-client-secret' })

  // Now a provider whose answers are wrong in ways that its client library reports with the whole answer.
  const faults: ((body: Record<string, unknown>) => Record<string, unknown>)[] = [
    ({ token_type: _, ...body }) => body,
    (body) => ({ ...body, id_token: `${String(body['id_token']).split('.').slice(0, 2).join('.')}.AAAA` }),
    (body) => ({ ...body, expires_in: 'soon', scope: 7 }),
    ({ access_token: _, ...body }) => body,
  ]
  const watch = upstream.tamper
  for (const fault of faults) {
    upstream.tamper = (at, body) => (at === '/token' ? fault(watch(at, body)) : body)
    const again = await browser.follow(authPath({}, '/dex/auth/keycloak'))
    const returned = new URL(await person.visit(again.response.headers.get('location') ?? ''))
    upstreamSecrets.push(returned.searchParams.get('code') ?? '')
    expect((await browser.get(`${returned.pathname}${returned.search}`)).status).toBe(500)
  }
  upstream.tamper = watch
  await browser.get(`/dex/logout?${new URLSearchParams({ id_token_hint: tokens.id_token })}`)

  const written = lines.join('\n')
  expect(lines.length).toBeGreaterThan(8)
  const secrets = {
    code,
    ...tokens,
    ...Object.fromEntries(browser.cookies),
    ...Object.fromEntries(upstreamSecrets.map((secret, index) => [`upstream ${index}`, secret])),
    upstreamSecret: upstreamClient.secret,
    clientSecret: proxyClient.secret,
    password: 'canary-password',
    wrongSecret: 'canary-client-secret',
    state: path.split('state=')[1] ?? '',
    stateSecret: 'a secret that is the same after a restart',
  }
  for (const [name, secret] of Object.entries(secrets)) {
    if (typeof secret !== 'string' || secret.length < 8) continue
    expect(written.includes(secret), name).toBe(false)
    expect(written.includes(secret.split('.').at(-1) ?? secret), `end of ${name}`).toBe(false)
  }
})
