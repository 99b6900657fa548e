import { expect, test } from 'vitest'
import { authUrl, formAction, realmWorld, redeem, signIn, smallRealm } from './realm-world.ts'

const payloads = [
  '"><script>alert(1)</script>',
  `'"><img src=x onerror=alert(1)>`,
  '</title><svg onload=alert(1)>',
  'javascript:alert(1)',
  '&lt;script&gt;',
  '" autofocus onfocus="alert(1)',
]

/** Whether a page has any element or attribute that a payload brought in; what stands quoted in an attribute is no markup. */
function hasForeignMarkup(text: string): boolean {
  const tags = text.replaceAll('src="/auth/resources/page.js', 'src=ours"').replaceAll(/="[^"]*"/g, '=""')
  return /<script(?! src=ours)/i.test(tags) || /<(img src=x|svg onload)/i.test(tags) || /<[^>]* on\w+=/i.test(tags)
}

test.each(payloads)('the payload %j does not get out of any field that is shown', async (payload) => {
  const realm = {
    ...smallRealm,
    displayName: payload,
    clients: [
      {
        ...smallRealm.clients[0],
        name: payload,
        redirectUris: [`https://app.example.com/${encodeURIComponent(payload)}`, 'https://app.example.com/callback'],
      },
    ],
  }
  const world = await realmWorld({ realm })
  const browser = world.browser()
  const login = await browser.fetch(authUrl(world, { login_hint: payload, state: payload, nonce: payload }))
  const refused = await browser.post(await formAction(login.clone()), { username: payload, password: payload })
  const formPost = await browser.fetch(authUrl(world, { response_mode: 'form_post', state: payload, prompt: 'none' }))
  const answers = [
    login,
    refused,
    formPost,
    await browser.fetch(authUrl(world, { client_id: payload })),
    await browser.fetch(authUrl(world, { redirect_uri: payload })),
    await browser.fetch(
      `${world.oidc}/logout?${new URLSearchParams({ post_logout_redirect_uri: payload, client_id: 'app' })}`,
    ),
    await browser.fetch(
      `${world.issuer}/login-actions/authenticate?${new URLSearchParams({ session_code: payload, client_id: payload })}`,
    ),
  ]
  for (const answer of answers) {
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(hasForeignMarkup(await answer.text())).toBe(false)
  }
})

test('the check for foreign markup finds some', () => {
  for (const payload of payloads.slice(0, 3)) expect(hasForeignMarkup(`<p>${payload}</p>`)).toBe(true)
  expect(hasForeignMarkup(`<input value="${payloads[5]}">`)).toBe(true)
})

test('every page forbids frames, inline scripts and caches', async () => {
  const world = await realmWorld()
  const browser = world.browser()
  const login = await browser.fetch(authUrl(world))
  const wrong = await browser.post(await formAction(login.clone()), {})
  await redeem(world, await signIn(world, browser))
  const pages = [
    login,
    wrong,
    await browser.fetch(authUrl(world, { client_id: 'nobody' })),
    await browser.fetch(authUrl(world, { response_mode: 'form_post' })),
    await browser.fetch(`${world.oidc}/logout`),
    await world.browser().fetch(`${world.oidc}/logout`),
  ]
  for (const { headers } of pages) {
    expect(headers.get('content-security-policy')).toMatch(/default-src 'none'.*frame-ancestors 'none'/)
    expect(headers.get('content-security-policy')).not.toContain('unsafe-inline')
    expect(headers.get('x-frame-options')).toBe('DENY')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('referrer-policy')).toBe('no-referrer')
  }
})

test('every answer has Keycloak’s security headers, HSTS only where the public address is https', async () => {
  const world = await realmWorld()
  const { headers } = await world.browser().fetch(`${world.oidc}/certs`)
  expect(Object.fromEntries(headers)).toMatchObject({
    'referrer-policy': 'no-referrer',
    'strict-transport-security': 'max-age=31536000; includeSubDomains',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'SAMEORIGIN',
    'x-robots-tag': 'none',
  })
  const plain = await realmWorld({ publicUrl: 'http://localhost:8080/auth' })
  expect((await plain.browser().fetch(`${plain.oidc}/certs`)).headers.has('strict-transport-security')).toBe(false)
})

test('links are built from the configured address, never from Host', async () => {
  const world = await realmWorld()
  const headers = { host: 'evil.example', 'x-forwarded-host': 'evil.example', forwarded: 'host=evil.example' }
  for (const path of [
    '/.well-known/openid-configuration',
    `/protocol/openid-connect/auth?${new URL(authUrl(world)).searchParams}`,
  ]) {
    const answer = await world.browser().fetch(`http://10.0.0.1:8080/auth/realms/kubeflow${path}`, { headers })
    const text = await answer.text()
    expect(text).toContain('https://id.example.com/auth/realms/kubeflow')
    expect(text).not.toMatch(/evil\.example|10\.0\.0\.1/)
  }
})

test('unknown realms, paths and methods are answered in Keycloak’s words', async () => {
  const world = await realmWorld()
  const ask = async (path: string, method = 'GET') => {
    const answer = await world.browser().fetch(`https://id.example.com${path}`, { method })
    return [answer.status, await answer.json()]
  }
  const noRealm = [404, { error: 'Realm does not exist' }]
  const noPath = [404, { error: 'Unable to find matching target resource method' }]
  const noMethod = [405, { error: 'HTTP 405 Method Not Allowed' }]
  expect(await ask('/auth/realms/nowhere')).toEqual(noRealm)
  expect(await ask('/auth/realms/nowhere/.well-known/openid-configuration')).toEqual(noRealm)
  expect(await ask('/auth/realms/__proto__/protocol/openid-connect/auth')).toEqual(noRealm)
  expect(await ask('/auth/realms/kubeflow/nothing')).toEqual(noPath)
  expect(await ask('/auth/nothing')).toEqual(noPath)
  expect(await ask('/auth/realms/kubeflow/protocol/openid-connect/auth', 'PUT')).toEqual(noMethod)
  expect(await ask('/auth/realms/kubeflow/protocol/openid-connect/logout', 'DELETE')).toEqual(noMethod)
  expect(await ask('/auth/realms/kubeflow/.well-known/openid-configuration', 'POST')).toEqual([
    404,
    { error: 'HTTP 404 Not Found' },
  ])
})

test('HEAD answers like GET without a body, and the style sheet is there', async () => {
  const world = await realmWorld()
  const head = await world.browser().fetch(authUrl(world), { method: 'HEAD' })
  expect([head.status, await head.text()]).toEqual([200, ''])
  const sheet =
    /href="([^"]+gatehouse\.css[^"]*)"/.exec(await (await world.browser().fetch(authUrl(world))).text())?.[1] ?? ''
  const style = await world.browser().fetch(new URL(sheet, world.issuer).href)
  expect([style.status, style.headers.get('content-type')]).toEqual([200, 'text/css; charset=utf-8'])
})

test('the bare address leads on', async () => {
  const world = await realmWorld()
  for (const path of ['/auth', '/auth/']) {
    const answer = await world.browser().fetch(`https://id.example.com${path}`)
    expect([answer.status, answer.headers.get('location')]).toEqual([302, '/'])
  }
  const root = await realmWorld({ publicUrl: 'https://id.example.com' })
  const answer = await root.browser().fetch('https://id.example.com/')
  expect(answer.headers.get('location')).toBe('/realms/kubeflow')
})

test('a form that is too large is refused', async () => {
  const world = await realmWorld()
  const answer = await world.browser().post(`${world.oidc}/token`, { grant_type: 'x'.repeat(300_000) })
  expect(answer.status).toBe(413)
})

test('pages of a client’s web origins may call it, others may only read what is public', async () => {
  const world = await realmWorld()
  const tokens = await redeem(world, await signIn(world, world.browser(), { client_id: 'app' }))
  const [ours, other] = ['https://app.example.com', 'https://evil.example']
  const allowed = (answer: Response) => answer.headers.get('access-control-allow-origin')
  const token = (origin: string, secret = 'app-secret') =>
    world
      .browser()
      .post(
        `${world.oidc}/token`,
        { grant_type: 'client_credentials', client_id: 'app', client_secret: secret },
        { origin },
      )
  expect(allowed(await token(ours))).toBe(ours)
  expect((await token(ours)).headers.get('access-control-allow-credentials')).toBe('true')
  expect([allowed(await token(other)), allowed(await token(ours, 'wrong'))]).toEqual([null, null])

  const userinfo = (origin: string) =>
    world
      .browser()
      .fetch(`${world.oidc}/userinfo`, { headers: { origin, authorization: `Bearer ${tokens.access_token}` } })
  expect([allowed(await userinfo(ours)), allowed(await userinfo(other))]).toEqual([ours, null])
  const open = await world.browser().fetch(`${world.oidc}/certs`, { headers: { origin: other } })
  expect([allowed(open), open.headers.get('access-control-allow-credentials')]).toEqual(['*', null])
  const page = await world.browser().fetch(authUrl(world), { headers: { origin: ours } })
  expect(allowed(page)).toBe(null)

  const preflight = await world.browser().fetch(`${world.oidc}/token`, {
    method: 'OPTIONS',
    headers: { origin: ours, 'access-control-request-method': 'POST' },
  })
  expect([preflight.status, allowed(preflight), preflight.headers.get('access-control-allow-methods')]).toEqual([
    200,
    ours,
    'POST, OPTIONS',
  ])
})
