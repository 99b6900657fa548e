import * as client from 'openid-client'
import { expect, test } from 'vitest'
import { formAction, realmWorld } from './realm-world.ts'

test('openid-client discovers the realm, signs a user in, refreshes, asks and signs out', async () => {
  const world = await realmWorld()
  const browser = world.browser()
  const fetcher: client.CustomFetch = (url, { method, headers, body }) =>
    world.browser().fetch(url, { method, headers, body: body as string | URLSearchParams })
  // openid-client reads the machine's clock; it is told how far that is from the test's.
  const metadata = { [client.clockSkew]: Math.round((world.clock.now() - Date.now()) / 1000) }
  const authentication = client.ClientSecretBasic('app-secret')
  const options = { [client.customFetch]: fetcher }
  const config = await client.discovery(new URL(world.issuer), 'app', metadata, authentication, options)

  const [verifier, state, nonce] = [client.randomPKCECodeVerifier(), client.randomState(), client.randomNonce()]
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: 'https://app.example.com/callback',
    scope: 'openid groups',
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
  })
  const action = await formAction(await browser.fetch(url.href))
  const redirect = await browser.post(action, { username: 'ada', password: 'correct horse' })
  const tokens = await client.authorizationCodeGrant(config, new URL(redirect.headers.get('location') ?? ''), {
    pkceCodeVerifier: verifier,
    expectedState: state,
    expectedNonce: nonce,
    idTokenExpected: true,
  })
  const sub = tokens.claims()?.sub ?? ''
  expect(tokens.claims()).toMatchObject({ preferred_username: 'ada', groups: ['/admins', '/team/sub'] })

  expect(await client.fetchUserInfo(config, tokens.access_token, sub)).toMatchObject({ email: 'ada@example.com' })
  const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token ?? '')
  expect(refreshed.claims()?.sub).toBe(sub)
  expect(await client.tokenIntrospection(config, refreshed.refresh_token ?? '')).toMatchObject({
    active: true,
    username: 'ada',
  })

  const end = client.buildEndSessionUrl(config, {
    id_token_hint: refreshed.id_token ?? '',
    post_logout_redirect_uri: 'https://app.example.com/bye',
  })
  expect((await browser.fetch(end.href)).headers.get('location')).toBe('https://app.example.com/bye')
  await expect(client.refreshTokenGrant(config, refreshed.refresh_token ?? '')).rejects.toMatchObject({
    error: 'invalid_grant',
  })
})

test('discovery names what is served, in Keycloak’s words and order, and nothing else', async () => {
  const world = await realmWorld()
  const answer = await world.browser().fetch(`${world.issuer}/.well-known/openid-configuration`)
  expect(answer.headers.get('cache-control')).toBe('no-cache, must-revalidate, no-transform, no-store')
  const document = (await answer.json()) as Record<string, unknown>
  expect(Object.keys(document)).toEqual([
    ...['issuer', 'authorization_endpoint', 'token_endpoint', 'introspection_endpoint', 'userinfo_endpoint'],
    ...[
      'end_session_endpoint',
      'jwks_uri',
      'grant_types_supported',
      'acr_values_supported',
      'response_types_supported',
    ],
    ...['subject_types_supported', 'prompt_values_supported', 'id_token_signing_alg_values_supported'],
    ...['response_modes_supported', 'token_endpoint_auth_methods_supported'],
    ...['introspection_endpoint_auth_methods_supported', 'claims_supported', 'claim_types_supported'],
    ...['claims_parameter_supported', 'scopes_supported', 'request_parameter_supported'],
    ...['request_uri_parameter_supported', 'code_challenge_methods_supported', 'revocation_endpoint'],
    ...[
      'revocation_endpoint_auth_methods_supported',
      'backchannel_logout_supported',
      'backchannel_logout_session_supported',
      'authorization_response_iss_parameter_supported',
    ],
  ])
  expect(document['grant_types_supported']).toEqual([
    'authorization_code',
    'client_credentials',
    'password',
    'refresh_token',
  ])
  expect(document['scopes_supported']).toEqual(
    expect.arrayContaining(['openid', 'profile', 'email', 'groups', 'offline_access']),
  )
  for (const [name, url] of Object.entries(document).filter(([name]) => /_(endpoint|uri)$/.test(name))) {
    const { status } = await world.browser().fetch(String(url))
    expect([name, status]).not.toEqual([name, 404])
  }
})
