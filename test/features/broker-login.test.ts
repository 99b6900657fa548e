import { expect, test } from 'vitest'
import { parseKeySet } from '../../src/tokens/jwk.ts'
import { verifyJwt } from '../../src/tokens/verify.ts'
import { authPath, claimsOf, issuer, openBrowser, openWorld, proxyClient, redeem, signIn } from './broker-world.ts'

test('Kubeflow’s stock request signs in although it says prompt=none, and every redirect before the client is a path', async () => {
  const { broker, clock } = await openWorld()
  const browser = openBrowser(broker)
  const form = await browser.follow(authPath({ prompt: 'none', state: 'n:/' }))
  expect(form.response.status).toBe(200)
  expect(form.trail.map((hop) => hop.split('?')[0])).toEqual(['/dex/auth/local', '/dex/auth/local/login'])
  const answer = await browser.post(form.path, { login: 'user@example.com', password: 'password' })
  expect(answer.status).toBe(303)
  const location = answer.headers.get('location') ?? ''
  expect(location).toMatch(/^\/oauth2\/callback\?code=[a-z2-7]{25}&state=n%3A%2F$/)

  const code = /code=([^&]+)/.exec(location)?.[1] ?? ''
  const tokens = await redeem(broker, code)
  const keys = parseKeySet(await (await browser.get('/dex/keys')).json())
  const expected = { issuer, audiences: [proxyClient.id], nowSeconds: clock.now() / 1000, skewSeconds: 0 }
  expect(verifyJwt(tokens.id_token, keys, expected)).toMatchObject({ ok: true, jwt: { header: { alg: 'RS256' } } })
  expect(verifyJwt(tokens.access_token, keys, expected).ok).toBe(true)
  expect(claimsOf(tokens.id_token)).toMatchObject({
    iss: issuer,
    sub: 'Cg4xNTg0MTE4NTY0MTc4NBIFbG9jYWw',
    aud: proxyClient.id,
    email: 'user@example.com',
    email_verified: true,
    groups: ['team-a', 'team-b/sub'],
    name: 'User Example',
    preferred_username: 'user1',
  })
})

test('userinfo gives back the claims of the token', async () => {
  const { broker } = await openWorld()
  const browser = openBrowser(broker)
  const { access_token } = await redeem(broker, await signIn(browser))
  const response = await browser.get('/dex/userinfo', { authorization: `Bearer ${access_token}` })
  expect(await response.json()).toEqual(claimsOf(access_token))
})
