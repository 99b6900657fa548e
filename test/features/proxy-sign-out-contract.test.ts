import { describe, expect, test } from 'vitest'
import { ada, origin, proxyWorld } from './proxy-world.ts'

// One contract for the dashboards of every generation: up to Kubeflow 1.6 a link to `/logout`; 1.7 to 1.9.1 a script that
// posts to `LOGOUT_URL` with `Authorization: Bearer <authservice_session>` and goes to `afterLogoutURL` on any 2xx; since
// then a link to `/oauth2/sign_out`.

const name = 'oauth2_proxy_kubeflow'
const sameSite = { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors' }
const crossSite = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }

const cleared = (found: string) => `${found}=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax`

describe.each(['/logout', '/authservice/logout', '/oauth2/sign_out'])('%s', (path) => {
  test.each([
    ['an empty bearer', { authorization: 'Bearer ' }],
    ['an empty bearer, cut by a server in front', { authorization: 'Bearer' }],
    ['a bearer nobody knows', { authorization: 'Bearer stale' }],
    ['axios', { accept: 'application/json, text/plain, */*' }],
    ['fetch', sameSite],
    ['an Origin of its own', { accept: 'application/json', origin }],
  ])('a script is answered 201 with the way to go, and the session ends: %s', async (_, headers) => {
    const { browser, signIn } = await proxyWorld()
    await signIn()
    const { cookieHeader: cookie } = browser
    const answer = await browser.get(path, headers, 'POST')
    expect([answer.status, answer.headers.get('content-type')]).toEqual([201, 'application/json'])
    expect(answer.headers.get('location')).toBeNull()
    expect(answer.headers.get('cache-control')).toContain('no-store')
    expect(answer.headers.getSetCookie()).toEqual([cleared(name)])
    const { afterLogoutURL } = (await answer.json()) as { afterLogoutURL: string }
    expect(new URL(afterLogoutURL, origin).pathname).toBe('/dex/logout') // a bare `/` would sign in again at once
    expect((await browser.check('/x', { headers: { cookie } })).status).toBe(403)
  })

  test('the session may be named by the bearer alone, without a cookie', async () => {
    const { browser, signIn, newBrowser } = await proxyWorld()
    await signIn()
    const script = newBrowser()
    const answer = await script.get(path, { authorization: `Bearer ${browser.cookies.get(name)}` }, 'POST')
    expect([answer.status, await answer.text()]).toEqual([201, expect.stringContaining('id_token_hint=ey')])
    expect((await browser.check('/x')).status).toBe(403)
  })

  test('without a session a script is told where to go; with `compat` 401, as oidc-authservice does', async () => {
    const { browser } = await proxyWorld()
    const answer = await browser.get(path, { authorization: 'Bearer ' }, 'POST')
    expect([answer.status, await answer.json()]).toEqual([
      201,
      { afterLogoutURL: expect.stringMatching(/^\/dex\/logout\?(?!.*id_token_hint)/) },
    ])
    if (path === '/oauth2/sign_out') return // of oauth2-proxy's own path see proxy-compat.test.ts
    const strict = await proxyWorld({ compat: true, code_challenge_method: 'S256' })
    expect((await strict.browser.get(path, { authorization: 'Bearer ' }, 'POST')).status).toBe(401)
    expect((await strict.browser.get(path)).status).toBe(302)
    await strict.signIn()
    expect((await strict.browser.get(path, { authorization: 'Bearer ' }, 'POST')).status).toBe(201)
  })

  test('a link is answered 302, a posted form 303, with the very same way to go', async () => {
    for (const [method, headers, status] of [
      ['GET', {}, 302],
      ['GET', { authorization: 'Bearer ' }, 302],
      ['GET', { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate' }, 302],
      ['POST', { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'navigate' }, 303],
    ] as const) {
      const { browser, signIn } = await proxyWorld()
      await signIn()
      const answer = await browser.get(path, headers, method)
      expect(answer.status).toBe(status)
      expect(answer.headers.get('location')).toMatch(/^\/dex\/logout\?client_id=.*&id_token_hint=ey/)
      expect(browser.cookies.size).toBe(0)
    }
  })

  test('another site’s link or form asks first, its script is refused, and nobody is signed out', async () => {
    const { browser, signIn } = await proxyWorld()
    await signIn()
    const evil = { origin: 'https://evil.example' }
    for (const [method, headers] of [
      ['GET', crossSite],
      ['POST', crossSite],
      ['POST', evil],
      ['POST', { origin: 'null' }],
    ] as const) {
      const asked = await browser.get(path, headers, method)
      expect([asked.status, asked.headers.getSetCookie()]).toEqual([200, []])
      expect(await asked.text()).toContain('method="post" action="/oauth2/sign_out"')
    }
    for (const headers of [crossSite, evil, { origin: 'null' }, { 'sec-fetch-site': 'same-site' }]) {
      const refused = await browser.get(path, { authorization: 'Bearer ', ...headers }, 'POST')
      expect([refused.status, refused.headers.getSetCookie()]).toEqual([403, []])
    }
    expect((await browser.check('/x')).status).toBe(200)
  })

  test('every part of a split session goes, and what an oidc-authservice has left', async () => {
    const { browser, signIn, provider } = await proxyWorld()
    provider.account = { ...ada, groups: Array.from({ length: 500 }, (_, at) => `g${at * 7919}`) }
    await signIn()
    browser.cookies.set('authservice_session', 'old').set('other', 'stays')
    const parts = [...browser.cookies.keys()].filter((one) => one.startsWith(name))
    expect(parts.length).toBeGreaterThan(2)
    const answer = await browser.get(path, { authorization: 'Bearer old' }, 'POST')
    expect(answer.headers.getSetCookie()).toEqual([...parts, 'authservice_session'].map(cleared))
    expect([...browser.cookies.keys()]).toEqual(['other'])
  })

  test('asked by a gateway it is an answer, never leave to pass', async () => {
    const { browser, signIn } = await proxyWorld()
    await signIn()
    const answer = await browser.check(path, { method: 'POST', headers: { authorization: 'Bearer ' } })
    expect([answer.status, answer.verdict]).toEqual([201, 'deny'])
  })
})
