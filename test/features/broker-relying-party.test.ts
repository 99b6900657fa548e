import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  buildEndSessionUrl,
  calculatePKCECodeChallenge,
  clockSkew,
  customFetch,
  discovery,
  enableNonRepudiationChecks,
  fetchUserInfo,
  refreshTokenGrant,
  tokenIntrospection,
} from 'openid-client'
import { expect, test } from 'vitest'
import { issuer, openBrowser, openWorld, user } from './broker-world.ts'

/** A certified relying party that knows nothing of Dex or of us. */
test('openid-client signs in, refreshes, asks for the user and signs out', async () => {
  const app = {
    id: 'app',
    secret: 'app-secret',
    name: 'App',
    redirectURIs: ['https://app.example.com/callback'],
    postLogoutRedirectURIs: ['https://app.example.com/'],
  }
  const { broker, clock } = await openWorld({ staticClients: [app] })
  const browser = openBrowser(broker)
  const config = await discovery(
    new URL(issuer),
    app.id,
    { client_secret: app.secret, [clockSkew]: Math.round((clock.now() - Date.now()) / 1000) },
    undefined,
    {
      [customFetch]: (url, options) => Promise.resolve(broker.fetch(new Request(url, options as RequestInit))),
      execute: [allowInsecureRequests, enableNonRepudiationChecks],
    },
  )
  const pkceCodeVerifier = 'a-verifier-of-at-least-forty-three-characters-0'
  const url = buildAuthorizationUrl(config, {
    redirect_uri: 'https://app.example.com/callback',
    scope: 'openid email groups offline_access',
    code_challenge: await calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: 'the-state',
    nonce: 'the-nonce',
  })
  const { path } = await browser.follow(`${url.pathname}${url.search}`)
  const answer = await browser.post(path, { login: user.email, password: 'password' })
  const tokens = await authorizationCodeGrant(config, new URL(answer.headers.get('location') ?? ''), {
    pkceCodeVerifier,
    expectedState: 'the-state',
    expectedNonce: 'the-nonce',
  })
  expect(tokens.claims()).toMatchObject({ email: user.email, groups: user.groups })

  const renewed = await refreshTokenGrant(config, tokens.refresh_token ?? '')
  const sub = renewed.claims()?.sub ?? ''
  expect(await fetchUserInfo(config, renewed.access_token, sub)).toMatchObject({
    email: user.email,
    groups: user.groups,
  })
  expect(await tokenIntrospection(config, renewed.access_token)).toMatchObject({ active: true, client_id: app.id })

  const end = buildEndSessionUrl(config, {
    id_token_hint: renewed.id_token ?? '',
    post_logout_redirect_uri: 'https://app.example.com/',
    state: 'bye',
  })
  const bye = await browser.get(`${end.pathname}${end.search}`)
  expect(bye.headers.get('location')).toBe('https://app.example.com/?state=bye')
  await expect(refreshTokenGrant(config, renewed.refresh_token ?? '')).rejects.toThrow()
  await expect(fetchUserInfo(config, renewed.access_token, sub)).rejects.toThrow()
  expect(await tokenIntrospection(config, renewed.access_token)).toEqual({ active: false })
})
