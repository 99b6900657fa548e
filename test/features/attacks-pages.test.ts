import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { HttpClient } from '../world/http-client.ts'
import { platformFiles } from '../world/platform-files.ts'
import { type AttackWorld, attackWorld, form, loginPage, type WireAnswer } from './attacks-world.ts'

let world: AttackWorld
/** A chain whose proxy shows a page before it sends anyone to sign in, and lets only some in. */
let strict: AttackWorld
beforeAll(async () => {
  world = await attackWorld()
  const from = platformFiles({ proxySettings: ['allowed_groups = "nobody-is-in-it"'] })
  const file = join(from, 'oauth2_proxy.cfg')
  writeFileSync(file, readFileSync(file, 'utf8').replace('skip_provider_button = true', 'skip_provider_button = false'))
  strict = await attackWorld({ from })
})
afterAll(async () => {
  await world.close()
  await strict.close()
})

const realm = '/auth/realms/platform/protocol/openid-connect'

/** Every page that can be reached without anything but its address. */
const publicPages = [
  '/nothing',
  '/echo/',
  '/logout?state=x',
  '/oauth2/sign_in',
  '/oauth2/signed_out',
  '/oauth2/callback',
  '/oauth2/callback?code=x&state=y',
  `/oauth2/callback?error=x&state=${'a'.repeat(43)}:/`,
  '/oauth2/sign_out?x',
  '/oauth2/tokens',
  '/oauth2/device',
  '/oauth2/device?request=x',
  '/oauth2/start?provider=nobody',
  '/dex/',
  '/dex/nothing',
  '/dex/auth',
  '/dex/auth/keycloak',
  '/dex/auth/nothing?client_id=gatehouse-proxy',
  '/dex/callback',
  '/dex/callback?state=x',
  '/dex/approval?req=x&hmac=y',
  '/dex/logout',
  '/dex/logout/callback',
  '/auth/',
  '/auth/nothing',
  `${realm}/auth`,
  `${realm}/auth?client_id=nobody`,
  `${realm}/auth?client_id=notes&redirect_uri=x`,
  `${realm}/logout`,
  `${realm}/logout?post_logout_redirect_uri=x`,
  '/auth/realms/platform/login-actions/authenticate',
  '/auth/realms/platform/login-actions/required-action',
  '/notes/callback?code=x&state=y',
  '/notes/signed-out',
  '/notes/nothing',
  '/gatehouse/signed-out',
  '/gatehouse/nothing',
  '/authservice/nothing',
]

const isPage = ({ header }: WireAnswer) => header('content-type')?.startsWith('text/html') ?? false

function expectGuarded(answer: WireAnswer, what: string): void {
  const policy = answer.header('content-security-policy') ?? ''
  expect(policy, what).toContain("frame-ancestors 'none'")
  expect(policy, what).toContain("default-src 'none'")
  expect(policy, what).toContain("script-src 'self'")
  expect(policy, what).toContain("base-uri 'none'")
  expect(policy, what).not.toMatch(/unsafe-|script-src[^;]*(\*|data:|https?:)/)
  expect(answer.header('x-frame-options'), what).toBe('DENY')
  expect(answer.header('x-content-type-options'), what).toBe('nosniff')
  expect(answer.header('referrer-policy'), what).toBe('no-referrer')
  expect(answer.header('cache-control'), what).toContain('no-store')
  expect(answer.header('content-type'), what).toMatch(/charset=utf-8/i)
  // nothing inline, so that the policy may forbid it
  expect(answer.body, what).not.toMatch(/<script(?![^>]*\ssrc=)[^>]*>|\son[a-z]+\s*=|\sstyle\s*=|<style|javascript:/i)
  expect(answer.body, what).not.toMatch(/<(iframe|object|embed|base)\b/i)
}

/** Everything a browser gets on the way, redirects left out. */
async function pagesOf(chain: AttackWorld, walk: (browser: HttpClient) => Promise<void>): Promise<WireAnswer[]> {
  const pages: WireAnswer[] = []
  await walk(
    chain.newBrowser((answer) => {
      if (isPage(answer)) pages.push(answer)
    }),
  )
  return pages
}

describe('every page forbids to be framed, and to run anything that is not ours', () => {
  test('for a stranger', async () => {
    let pages = 0
    for (const path of publicPages) {
      for (const chain of [world, strict]) {
        const answer = await chain.ask(path, { headers: ['Accept: text/html'] })
        expect(answer.status, path).toBeLessThan(500)
        if (!isPage(answer)) continue
        pages += 1
        expectGuarded(answer, path)
      }
    }
    expect(pages).toBeGreaterThan(40)
  })

  test('with every method', async () => {
    for (const path of publicPages) {
      for (const method of ['POST', 'PUT', 'OPTIONS', 'PROPFIND']) {
        const answer = await world.ask(path, { method, headers: ['Accept: text/html'] })
        if (isPage(answer)) expectGuarded(answer, `${method} ${path}`)
      }
    }
  })

  test('on the way through sign-in, both apps and sign-out', async () => {
    const pages = await pagesOf(world, async (browser) => {
      const page = await browser.follow(`${world.origin}/echo/`)
      const refused = await browser.submit(page, { username: 'ada', password: 'wrong' })
      await browser.submit(refused, { username: 'ada', password: world.passwordOf() })
      for (const path of ['/', '/echo/x?y=z', '/notes/', '/notes/n/none', `${realm}/logout`, '/dex/logout', '/dex/']) {
        await browser.follow(`${world.origin}${path}`, { headers: { accept: 'text/html' } })
      }
      const asked = await browser.follow(`${world.origin}/logout`, { headers: { 'sec-fetch-site': 'cross-site' } })
      expect(asked.text).toContain('Another site asked')
      await browser.submit(asked, {})
    })
    expect(pages.length).toBeGreaterThan(10)
    for (const page of pages) expectGuarded(page, page.text.slice(0, 300))
  })

  test('where a program is given a token, whatever it calls itself', async () => {
    const label = `"><script>alert(1)</script><iframe src=x>'`
    const headers = { 'sec-fetch-site': 'same-origin' }
    const post = (path: string, fields: Record<string, string>) =>
      [`${world.origin}${path}`, { method: 'POST', body: new URLSearchParams(fields), headers }] as const
    const pages = await pagesOf(world, async (browser) => {
      await browser.submit(await browser.follow(`${world.origin}/echo/`), {
        ...{ username: 'ada', password: world.passwordOf() },
      })
      const made = await browser.follow(...post('/oauth2/tokens', { label, path: '/x,/y' }))
      expect(made.text).toMatch(/gha_[\w-]{43}/)
      const wrong = await browser.follow(...post('/oauth2/tokens', { label, days: label }))
      expect([wrong.response.status, wrong.text]).toEqual([400, expect.stringContaining('are not offered')])
      const listed = await browser.follow(`${world.origin}/oauth2/tokens`)
      expect(listed.text).toContain('&lt;script')
      const { body } = await world.ask('/oauth2/device_authorization', form({ label, path: "/a'b&c" }))
      const link = (JSON.parse(body) as { verification_uri: string }).verification_uri
      const asked = await browser.follow(link)
      expect(asked.text).toContain('&lt;script')
      const request = new URL(link).searchParams.get('request') ?? ''
      for (const answer of ['allow', 'deny']) await browser.follow(...post('/oauth2/device', { request, answer }))
    })
    const shown = pages.slice(2) // after the sign-in
    expect(shown.length).toBe(6)
    for (const page of shown) expectGuarded(page, page.text.slice(0, 300))
  })

  test('where the proxy shows a page of its own at an app’s address', async () => {
    const pages = await pagesOf(strict, async (browser) => {
      const signIn = await browser.follow(`${strict.origin}/echo/`)
      expect(signIn.response.status).toBe(403)
      const login = await browser.submit(signIn, {})
      const denied = await browser.submit(login, { username: 'ada', password: strict.passwordOf() })
      expect([denied.response.status, denied.text]).toEqual([403, expect.stringContaining('not allowed here')])
      const again = await browser.follow(`${strict.origin}/echo/`)
      expect(again.response.status).toBe(403)
    })
    expect(pages.length).toBeGreaterThanOrEqual(4)
    for (const page of pages) expectGuarded(page, page.text.slice(0, 300))
  })

  test('where the broker asks for consent, or for a password itself', async () => {
    const consent = await pagesOf(world, async (browser) => {
      const query = new URLSearchParams({
        ...{ client_id: 'gatehouse-proxy', redirect_uri: '/oauth2/callback', response_type: 'code', scope: 'openid' },
        ...{ state: 'x', approval_prompt: 'force' },
      })
      const page = await browser.follow(`${world.origin}/dex/auth?${query}`)
      const asked = await browser.submit(page, { username: 'ada', password: world.passwordOf() })
      expect(asked.text).toContain('name="approval"')
    })
    const from = fileURLToPath(new URL('../fixtures/kubeflow/stock', import.meta.url))
    const stock = await attackWorld({ from })
    const passwords = await pagesOf(stock, async (browser) => {
      let page = await browser.follow(`${stock.origin}/oauth2/start?rd=/echo/`)
      for (let guess = 0; guess < 7; guess += 1) {
        page = await browser.submit(page, { login: '<script>alert(1)</script>', password: 'wrong' })
      }
      expect(page.response.status).toBe(429)
    })
    await stock.close()
    expect([consent.length, passwords.length]).toEqual([2, 8])
    for (const page of [...consent, ...passwords]) expectGuarded(page, page.text.slice(0, 300))
  })

  test('where the policies refuse', async () => {
    const refusals = [
      await world.ask('/echo/', { headers: ['Accept: text/html', 'Authorization: Bearer x.y.z'] }),
      await world.ask('/dex/userinfo/../../echo/', { headers: ['Accept: text/html', 'Authorization: Bearer x.y.z'] }),
    ]
    for (const answer of refusals) {
      expect([401, 403]).toContain(answer.status)
      expectGuarded(answer, String(answer.status))
    }
  })
})

test('an answer in JSON is never read as a page', async () => {
  const { cookie } = await world.signIn()
  const answers = [
    await world.ask('/echo/?format=json&x=<script>', { headers: [`Cookie: ${cookie}`] }),
    await world.ask('/oauth2/userinfo', { headers: [`Cookie: ${cookie}`] }),
    await world.ask(`${realm}/token`, { method: 'POST', body: 'grant_type=<script>' }),
    await world.ask('/auth/realms/<script>'),
    await world.ask('/auth/<script>alert(1)</script>'),
    await world.ask('/dex/token', { method: 'POST', body: '<script>' }),
    await world.ask('/oauth2/device_authorization', form({ label: 'x', path: '<script>' })),
    await world.ask('/oauth2/device_token', form({ device_code: '<script>' })),
    await world.ask('/oauth2/backchannel-logout', form({ logout_token: '<script>' })),
    await world.ask('/oauth2/tokens', { headers: [`Cookie: ${cookie}`, 'Accept: application/json'] }),
  ]
  for (const answer of answers) {
    expect(answer.header('content-type')).toMatch(/^application\/json/)
    expect(answer.body).not.toMatch(/^\s*</)
  }
})

test('a login page is not kept, and what was typed into it comes back without the password', async () => {
  const { browser, page } = await loginPage(world)
  const refused = await browser.submit(page, { username: 'ada', password: 'my-secret-guess' })
  expect(refused.text).not.toContain('my-secret-guess')
  expect(refused.response.headers.get('cache-control')).toContain('no-store')
  expect(refused.text).toContain('autocomplete="current-password"')
})
