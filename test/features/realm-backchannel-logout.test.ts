import { expect, test } from 'vitest'
import { systemRandom } from '../../src/kit/random.ts'
import { openRealmUsers } from '../../src/realm/users.ts'
import { parseKeySet } from '../../src/tokens/jwk.ts'
import { verifyJwt } from '../../src/tokens/verify.ts'
import { authUrl, claimsOf, postToken, type RealmWorld, realmWorld, redeem, signIn, smallRealm } from './realm-world.ts'

const ada = '11111111-1111-4111-8111-111111111111'
const told = 'https://app.example.com/logged-out'

/** `app` wants to know of sign-outs; `attributes` under `backchannel.logout.`. */
async function world(attributes: Record<string, string> = { url: told, 'session.required': 'true' }) {
  const [app, spa] = smallRealm.clients
  const named = Object.entries(attributes).map(([name, value]) => [`backchannel.logout.${name}`, value])
  const realm = {
    ...smallRealm,
    clients: [
      { ...app, rootUrl: 'https://app.example.com/', attributes: { ...app?.attributes, ...Object.fromEntries(named) } },
      spa,
    ],
  }
  const requests: { url: string; method: string; type: string | null; token: string }[] = []
  const opened = await realmWorld({
    realm,
    fetch: async (input, init) => {
      const request = new Request(input, init)
      const token = new URLSearchParams(await request.text()).get('logout_token') ?? ''
      requests.push({ url: request.url, method: request.method, type: request.headers.get('content-type'), token })
      return new Response(null, { status: 200 })
    },
  })
  const signedIn = async () => {
    const browser = opened.browser()
    const tokens = await redeem(opened, await signIn(opened, browser))
    return { browser, tokens, sid: String(claimsOf(tokens.id_token)['sid']) }
  }
  const signOut = ({ browser, tokens }: Awaited<ReturnType<typeof signedIn>>) =>
    browser.fetch(`${opened.oidc}/logout?id_token_hint=${tokens.id_token}`)
  const users = openRealmUsers({
    database: opened.database as unknown as Parameters<typeof openRealmUsers>[0]['database'],
    clock: opened.clock,
    random: systemRandom,
  })
  const sids = () => requests.map(({ token }) => claimsOf(token)['sid'])
  return { ...opened, requests, sids, signedIn, signOut, users }
}

async function verified({ part, oidc, issuer, clock }: RealmWorld, token: string) {
  const keys = parseKeySet(await (await part.fetch(new Request(`${oidc}/certs`))).json())
  return verifyJwt(token, keys, { issuer, audiences: ['app'], nowSeconds: clock.now() / 1000, skewSeconds: 0 })
}

test('who signs out is signed out at the clients of the session, by a logout token like Keycloak’s', async () => {
  const realm = await world()
  const session = await realm.signedIn()
  await realm.signOut(session)
  expect(realm.requests).toMatchObject([
    { url: told, method: 'POST', type: 'application/x-www-form-urlencoded;charset=UTF-8' },
  ])
  const token = realm.requests[0]?.token ?? ''
  expect((await verified(realm, token)).ok).toBe(true)
  expect(JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString())).toMatchObject({
    alg: 'RS256',
    typ: 'logout+jwt',
  })
  const now = realm.clock.now() / 1000
  expect(claimsOf(token)).toEqual({
    exp: now + 120,
    iat: now,
    jti: expect.any(String),
    iss: realm.issuer,
    aud: 'app',
    sub: ada,
    typ: 'Logout',
    sid: session.sid,
    events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
  })
  await realm.close()
})

test('the session is named only to clients that ask for it, offline tokens only where they are to go, too', async () => {
  const realm = await world({ url: told, 'revoke.offline.tokens': 'true' })
  await realm.signOut(await realm.signedIn())
  const { sid, events } = claimsOf(realm.requests[0]?.token ?? '')
  expect(sid).toBeUndefined()
  expect(events).toEqual({
    'http://schemas.openid.net/event/backchannel-logout': {},
    revoke_offline_access: true,
  })
  await realm.close()
})

test('a URL may be relative to the client’s root; nothing is sent where it is no URL', async () => {
  const relative = await world({ url: '/logged-out' })
  await relative.signOut(await relative.signedIn())
  expect(relative.requests.map(({ url }) => url)).toEqual([told])
  await relative.close()
  const broken = await world({ url: 'javascript:alert(1)' })
  await broken.signOut(await broken.signedIn())
  expect(broken.requests).toEqual([])
  await broken.close()
})

test('a client that had no part in the session is told nothing', async () => {
  const realm = await world()
  const browser = realm.browser()
  await signIn(realm, browser, { client_id: 'spa', redirect_uri: 'https://spa.example.com/cb' })
  await browser.fetch(`${realm.oidc}/logout`)
  expect(realm.requests).toEqual([])
  await realm.close()
})

test('a client that signs its user out by the refresh token is told, too, and only of that session', async () => {
  const realm = await world()
  const [phone, laptop] = [await realm.signedIn(), await realm.signedIn()]
  const form = { client_id: 'app', client_secret: 'app-secret', refresh_token: phone.tokens.refresh_token }
  expect((await realm.browser().post(`${realm.oidc}/logout`, form)).status).toBe(204)
  expect(realm.sids()).toEqual([phone.sid])
  expect((await laptop.browser.fetch(authUrl(realm))).status).toBe(302)
  await realm.close()
})

test.each([
  ['disabled', (realm: Awaited<ReturnType<typeof world>>) => realm.users.setEnabled('kubeflow', 'ada', false)],
  ['removed', (realm: Awaited<ReturnType<typeof world>>) => realm.users.remove('kubeflow', 'ada')],
  ['given a password', (realm: Awaited<ReturnType<typeof world>>) => realm.users.setPassword('kubeflow', 'ada', 'new')],
])('when a user is %s by another process, clients are told of every session', async (_, change) => {
  const realm = await world()
  const sessions = [await realm.signedIn(), await realm.signedIn()]
  await change(realm)
  await expect.poll(() => realm.sids().toSorted(), { timeout: 5000 }).toEqual(sessions.map(({ sid }) => sid).toSorted())
  await realm.close()
})

test('a session that a client already left, and tokens nobody knows, tell nobody', async () => {
  const realm = await world()
  const session = await realm.signedIn()
  await realm.signOut(session)
  await realm.signOut(session)
  expect(realm.requests).toHaveLength(1)
  const refused = await postToken(realm, { grant_type: 'refresh_token', refresh_token: session.tokens.refresh_token })
  expect(refused.status).toBe(400)
  await realm.close()
})

test('discovery says that sign-outs are told', async () => {
  const realm = await world()
  const found = await realm.part.fetch(new Request(`${realm.issuer}/.well-known/openid-configuration`))
  expect(await found.json()).toMatchObject({
    backchannel_logout_supported: true,
    backchannel_logout_session_supported: true,
  })
  await realm.close()
})
