import { expect, test } from 'vitest'
import { authUrl, claimsOf, realmWorld, redeem, signIn } from './realm-world.ts'

test('a user signs in and the client gets tokens that say who they are', async () => {
  const world = await realmWorld()
  const browser = world.browser()
  const redirect = await signIn(world, browser)
  expect([...redirect.searchParams.keys()]).toEqual(['state', 'session_state', 'iss', 'code'])
  expect(redirect.searchParams.get('state')).toBe('s1')
  expect(redirect.searchParams.get('iss')).toBe(world.issuer)

  const tokens = await redeem(world, redirect)
  expect(claimsOf(tokens.id_token)).toMatchObject({ preferred_username: 'ada', email: 'ada@example.com', aud: 'app' })

  const userinfo = await browser.fetch(`${world.oidc}/userinfo`, {
    headers: { authorization: `Bearer ${tokens.access_token}` },
  })
  expect(await userinfo.json()).toEqual({
    sub: '11111111-1111-4111-8111-111111111111',
    email_verified: true,
    name: 'Ada Lovelace',
    preferred_username: 'ada',
    given_name: 'Ada',
    family_name: 'Lovelace',
    email: 'ada@example.com',
  })

  const again = await browser.fetch(authUrl(world))
  expect(again.status).toBe(302)
})
