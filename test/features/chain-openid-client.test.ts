import * as openid from 'openid-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type TestGatehouse, testGatehouse } from '../world/gatehouse.ts'
import { type HttpClient, httpClient } from '../world/http-client.ts'
import { ada, platformFiles } from '../world/platform-files.ts'
import { type WaitingParty, waitingParty } from '../world/relying-party.ts'

let gatehouse: TestGatehouse
let party: WaitingParty

beforeAll(async () => {
  party = await waitingParty()
  gatehouse = await testGatehouse({ from: platformFiles({ relyingParties: [party] }) })
})

afterAll(async () => {
  await gatehouse.close()
  await party.close()
})

const providers = [
  { name: 'realm', path: '/auth/realms/platform', groups: ['/platform-users', '/team/ml'] },
  { name: 'broker', path: '/dex', groups: ['platform-users', 'team/ml'] },
]

describe.each(providers)('openid-client, unchanged, as a client of the $name', ({ path, groups }) => {
  test('signs in with code and PKCE, and knows the user from the ID token and from userinfo', async () => {
    const config = await discover(path)
    const { tokens } = await signIn(config)
    const claims = tokens.claims()

    expect(claims).toMatchObject({ iss: gatehouse.publicUrl + path, email: ada.email, groups })
    const userinfo = await openid.fetchUserInfo(config, tokens.access_token, claims?.sub ?? '')
    expect(userinfo).toMatchObject({ sub: claims?.sub, email: ada.email, groups })
  })

  test('refreshes its tokens, and the new ones are good', async () => {
    const config = await discover(path)
    const { tokens } = await signIn(config)
    const fresh = await openid.refreshTokenGrant(config, tokens.refresh_token ?? '')

    expect(fresh.access_token).not.toBe(tokens.access_token)
    expect(fresh.claims()).toMatchObject({ sub: tokens.claims()?.sub, email: ada.email, groups })
    const userinfo = await openid.fetchUserInfo(config, fresh.access_token, tokens.claims()?.sub ?? '')
    expect(userinfo.email).toBe(ada.email)
  })

  test('is not asked for a password while the session lives, and is after ending it', async () => {
    const config = await discover(path)
    const { tokens, browser } = await signIn(config)
    expect((await browser.follow(await authorizationUrl(config))).url).toMatch(party.redirectUri)

    const end = openid.buildEndSessionUrl(config, {
      id_token_hint: tokens.id_token ?? '',
      post_logout_redirect_uri: party.signedOutUri,
      state: 'bye',
    })
    expect((await browser.follow(end.href)).url).toBe(`${party.signedOutUri}?state=bye`)

    const again = await browser.follow(await authorizationUrl(config))
    expect(again.url).toMatch(`${gatehouse.publicUrl}/auth/realms/platform/`)
    expect(again.text).toContain('type="password"')
  })
})

function discover(path: string): Promise<openid.Configuration> {
  const issuer = new URL(gatehouse.publicUrl + path)
  return openid.discovery(issuer, party.id, party.secret, undefined, { execute: [openid.allowInsecureRequests] })
}

const secrets = {
  pkceCodeVerifier: openid.randomPKCECodeVerifier(),
  expectedState: 'a-state',
  expectedNonce: 'a-nonce',
}

async function authorizationUrl(config: openid.Configuration): Promise<string> {
  return openid.buildAuthorizationUrl(config, {
    redirect_uri: party.redirectUri,
    scope: 'openid profile email groups offline_access',
    code_challenge: await openid.calculatePKCECodeChallenge(secrets.pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: secrets.expectedState,
    nonce: secrets.expectedNonce,
  }).href
}

async function signIn(config: openid.Configuration): Promise<{
  tokens: Awaited<ReturnType<typeof openid.authorizationCodeGrant>>
  browser: HttpClient
}> {
  const browser = httpClient()
  const form = await browser.follow(await authorizationUrl(config))
  const { url } = await browser.submit(form, { username: ada.username, password: ada.password })
  return { tokens: await openid.authorizationCodeGrant(config, new URL(url), secrets), browser }
}
