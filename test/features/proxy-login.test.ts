import { expect, test } from 'vitest'
import { ada, proxyWorld } from './proxy-world.ts'

test('a visitor without a session gets the sign-in page, signs in and comes back to the very URL', async () => {
  const { browser, provider } = await proxyWorld()
  const page = await browser.check('/echo/some/deep?link=1')
  expect(page.status).toBe(403)
  expect(page.headers['content-type']).toBe('text/html; charset=utf-8')
  expect(page.body).toContain('<input type="hidden" name="rd" value="/echo/some/deep?link=1">')
  expect(page.body).toContain('Sign in with Dex')

  const started = await browser.get('/oauth2/start?rd=%2Fecho%2Fsome%2Fdeep%3Flink%3D1')
  expect(started.status).toBe(302)
  const location = started.headers.get('location') ?? ''
  expect(location.slice(0, location.indexOf('?'))).toBe('/dex/auth')
  expect([...new URL(location, 'http://x').searchParams.keys()]).toEqual([
    'approval_prompt',
    'client_id',
    'code_challenge',
    'code_challenge_method',
    'nonce',
    'redirect_uri',
    'response_type',
    'scope',
    'state',
  ])

  const back = await browser.get(provider.signIn(location))
  expect(back.status).toBe(302)
  expect(back.headers.get('location')).toBe('/echo/some/deep?link=1')

  const allowed = await browser.check('/echo/some/deep?link=1')
  expect(allowed.status).toBe(200)
  expect(allowed.headers).toMatchObject({
    'gap-auth': ada.email,
    'x-auth-request-email': ada.email,
    'x-auth-request-user': ada.sub,
    'x-auth-request-groups': 'ml,admins',
    'x-auth-request-preferred-username': 'ada',
  })
  expect(allowed.headers['authorization']).toMatch(/^Bearer ey/)
})
