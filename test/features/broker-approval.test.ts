import { expect, test } from 'vitest'
import { authPath, type Browser, openBrowser, openWorld, proxyClient, redeem, user } from './broker-world.ts'

async function signInToApproval(browser: Browser, parameters: Record<string, string> = {}): Promise<Response> {
  const { path } = await browser.follow(authPath(parameters, '/dex/auth/local'))
  return browser.post(path, { login: user.email, password: 'password' })
}

test.each([
  [false, '', true],
  [false, 'force', true],
  [true, '', false],
  [true, 'force', true],
])('skipApprovalScreen %s with approval_prompt `%s` asks: %s', async (skipApprovalScreen, approval_prompt, asks) => {
  const { broker } = await openWorld({ oauth2: { skipApprovalScreen } })
  const answer = await signInToApproval(openBrowser(broker), approval_prompt === '' ? {} : { approval_prompt })
  expect(answer.status).toBe(303)
  expect(answer.headers.get('location')).toMatch(
    asks ? /^\/dex\/approval\?req=[\w-]+&hmac=[\w-]{43}$/ : /^\/oauth2\/callback\?code=/,
  )
})

const asking = { oauth2: { skipApprovalScreen: false } }

test('the page says in words what the application asks for, and approving gives the code once', async () => {
  const { broker } = await openWorld(asking)
  const browser = openBrowser(broker)
  const approval = (await signInToApproval(browser)).headers.get('location') ?? ''
  const page = await (await browser.get(approval)).text()
  for (const text of [
    'Dex Login Application',
    'user@example.com',
    'See your e-mail address',
    'See which groups you are in',
  ]) {
    expect(page).toContain(text)
  }
  const answer = await browser.post(approval, { approval: 'approve' })
  expect(answer.status).toBe(303)
  const code =
    /^\/oauth2\/callback\?code=([^&]+)&state=proxy-state$/.exec(answer.headers.get('location') ?? '')?.[1] ?? ''
  expect((await redeem(broker, code)).token_type).toBe('bearer')
  const again = await browser.post(approval, { approval: 'approve' })
  expect([again.status, again.headers.get('location')]).toEqual([400, null])
})

test('cancelling tells the client access_denied', async () => {
  const { broker } = await openWorld(asking)
  const browser = openBrowser(broker)
  const approval = (await signInToApproval(browser)).headers.get('location') ?? ''
  const answer = await browser.post(approval, { approval: 'rejected' })
  expect(answer.headers.get('location')).toMatch(
    /^\/oauth2\/callback\?error=access_denied&error_description=[^&]+&state=proxy-state$/,
  )
  expect((await browser.post(approval, { approval: 'approve' })).status).toBe(400)
})

test('without the right hmac, or in another browser, there is no page and no code', async () => {
  const { broker } = await openWorld(asking)
  const browser = openBrowser(broker)
  const approval = (await signInToApproval(browser)).headers.get('location') ?? ''
  const tampered = approval.replace(/hmac=.{5}/, 'hmac=AAAAA')
  const missing = approval.replace(/&hmac=.*/, '')
  for (const path of [tampered, missing]) {
    expect((await browser.get(path)).status).toBe(401)
    expect((await browser.post(path, { approval: 'approve' })).status).toBe(401)
  }
  const thief = openBrowser(broker)
  await thief.get(authPath({}, '/dex/auth/local'))
  expect((await thief.get(approval)).status).toBe(401)
  expect((await thief.post(approval, { approval: 'approve' })).status).toBe(401)
  expect((await browser.post(approval, { approval: 'approve' })).status).toBe(303)
})

test('a client without a redirect is shown its code', async () => {
  const sdk = {
    id: 'kubeflow-pipelines-sdk',
    name: 'KFP SDK',
    public: true,
    redirectURIs: ['urn:ietf:wg:oauth:2.0:oob'],
  }
  const { broker } = await openWorld({ staticClients: [proxyClient, sdk] })
  const redirect_uri = 'urn:ietf:wg:oauth:2.0:oob'
  const answer = await signInToApproval(openBrowser(broker), { client_id: sdk.id, redirect_uri })
  expect(answer.status).toBe(200)
  const code = /value="([a-z2-7]{25})"/.exec(await answer.text())?.[1] ?? ''
  const form = { grant_type: 'authorization_code', code, redirect_uri, client_id: sdk.id }
  const response = await broker.fetch(
    new Request('http://dex/dex/token', { method: 'POST', body: new URLSearchParams(form) }),
  )
  expect(response.status).toBe(200)
})

test('a name that looks like markup is shown as text', async () => {
  const client = { ...proxyClient, name: '<script>alert(1)</script>' }
  const { broker } = await openWorld({ ...asking, staticClients: [client] })
  const browser = openBrowser(broker)
  const approval = (await signInToApproval(browser)).headers.get('location') ?? ''
  const page = await (await browser.get(approval)).text()
  expect(page).toContain('&lt;script&gt;')
  expect(page).not.toContain('<script>')
})
