import { expect, test } from 'vitest'
import {
  authPath,
  claimsOf,
  openBrowser,
  openWorld,
  proxyClient,
  redeem,
  signIn,
  type TokenBody,
  tokenRequest,
  user,
} from './broker-world.ts'

const mock = { type: 'mockCallback', id: 'mock', name: 'Example', config: {} }

async function start(parameters: Record<string, string>, config: Record<string, unknown> = {}) {
  const { broker } = await openWorld(config)
  return openBrowser(broker).get(authPath(parameters, '/dex/auth/local'))
}

test('an unknown client is a page of status 404, and nothing is redirected', async () => {
  const response = await start({ client_id: 'nobody' })
  expect([response.status, response.headers.get('location')]).toEqual([404, null])
  expect(await response.text()).toContain('Invalid client_id.')
})

test('a redirect URI that differs by one character is a page of status 400, and nothing is redirected', async () => {
  const evil = [
    '/oauth2/callbac', '/oauth2/callback/', '/oauth2/callback?', '/OAUTH2/callback', ' /oauth2/callback', '//oauth2/callback',
    '/oauth2/callback%00', '/oauth2/callback#x', 'https://evil.example.com/oauth2/callback', '/oauth2/../oauth2/callback',
    '\\oauth2\\callback', 'javascript:alert(1)', '/oauth2/callback@evil.example.com', 'urn:ietf:wg:oauth:2.0:oob', '', '/',
  ] // biome-ignore format: a list of names
  for (const redirect_uri of evil) {
    const response = await start({ redirect_uri, response_type: 'nonsense' })
    expect([response.status, response.headers.get('location')], redirect_uri).toEqual([400, null])
    expect(await response.text()).toContain('Unregistered redirect_uri.')
  }
})

test('a redirect URI that a client encoded twice is understood, as Dex does', async () => {
  expect((await start({ redirect_uri: encodeURIComponent('/oauth2/callback') })).status).toBe(302)
})

test.each([
  ['no openid', { scope: 'email' }, 'invalid_scope', 'Missing required scope(s) ["openid"].'],
  ['an unknown scope', { scope: 'openid phone x' }, 'invalid_scope', 'Unrecognized scope(s) ["phone" "x"]'],
  [
    'an audience that does not trust it',
    { scope: 'openid audience:server:client_id:peer' },
    'invalid_scope',
    'Client can\'t request scope(s) ["audience:server:client_id:peer"]',
  ],
  ['a request object', { request: 'x' }, 'request_not_supported', 'Server does not support request parameter.'],
  ['an unknown connector', { connector_id: 'nobody' }, 'invalid_request', 'Invalid ConnectorID'],
  [
    'a challenge method',
    { code_challenge_method: 's256' },
    'invalid_request',
    'Unsupported PKCE challenge method ("s256").',
  ],
  ['no response type', { response_type: '' }, 'invalid_request', 'No response_type provided'],
  ['an unknown response type', { response_type: 'codes' }, 'invalid_request', 'Invalid response type "codes"'],
  [
    'a disabled response type',
    { response_type: 'id_token' },
    'unsupported_response_type',
    'Unsupported response type "id_token"',
  ],
])('%s is told to the client by redirect, with its state', async (_what, parameters, error, description) => {
  const peer = { id: 'peer', secret: 'x', name: 'Peer', redirectURIs: [] }
  const response = await start(parameters, { staticClients: [proxyClient, peer] })
  expect(response.status).toBe(303)
  const location = new URL(response.headers.get('location') ?? '', 'https://client.example.com')
  expect(location.pathname).toBe('/oauth2/callback')
  expect(Object.fromEntries(location.searchParams)).toEqual({
    error,
    error_description: description,
    state: 'proxy-state',
  })
})

test('an empty state comes back empty', async () => {
  const response = await start({ scope: 'email', state: '' })
  expect(response.headers.get('location')).toMatch(/&state=$/)
})

const implicit = { oauth2: { skipApprovalScreen: true, responseTypes: ['code', 'token', 'id_token'] } }

test.each([
  ['token', 'n', "Response type 'token' must be provided with type 'id_token' and/or 'code'"],
  ['id_token token', '', "Response type 'token' requires a 'nonce' value."],
])('response type `%s` with nonce `%s` is refused in Dex’s words', async (response_type, nonce, description) => {
  const response = await start({ response_type, nonce }, implicit)
  const location = new URL(response.headers.get('location') ?? '', 'https://client.example.com')
  expect(location.searchParams.get('error_description')).toBe(description)
})

async function fragmentOf(response_type: string) {
  const { broker } = await openWorld(implicit)
  const browser = openBrowser(broker)
  const { path } = await browser.follow(authPath({ response_type, nonce: 'n-0S6' }, '/dex/auth/local'))
  const answer = await browser.post(path, { login: user.email, password: 'password' })
  const [uri, fragment] = (answer.headers.get('location') ?? '').split('#')
  expect(uri).toBe('/oauth2/callback')
  return { broker, fragment: Object.fromEntries(new URLSearchParams(fragment)) }
}

test('the implicit flow answers in the fragment, with the nonce and a lifetime', async () => {
  const { fragment } = await fragmentOf('id_token token')
  expect(Object.keys(fragment)).toEqual(['access_token', 'expires_in', 'id_token', 'state', 'token_type'])
  expect(fragment).toMatchObject({ expires_in: '86400', token_type: 'bearer', state: 'proxy-state' })
  expect(claimsOf(fragment['id_token'] ?? '')).toMatchObject({ nonce: 'n-0S6' })
})

test('the hybrid flow gives a code beside the token, and no lifetime', async () => {
  const { broker, fragment } = await fragmentOf('code id_token')
  expect(Object.keys(fragment)).toEqual(['access_token', 'code', 'id_token', 'state', 'token_type'])
  expect((await redeem(broker, fragment['code'] ?? '')).id_token).toBeTypeOf('string')
})

test('a client whose peer trusts it gets tokens for both and is the authorized party', async () => {
  const peer = { id: 'peer', secret: 'x', name: 'Peer', trustedPeers: [proxyClient.id], redirectURIs: [] }
  const { broker } = await openWorld({ staticClients: [proxyClient, peer] })
  const code = await signIn(openBrowser(broker), { scope: 'openid audience:server:client_id:peer' })
  const { id_token, access_token } = await redeem(broker, code)
  expect(claimsOf(id_token)).toMatchObject({ aud: ['peer', proxyClient.id], azp: proxyClient.id })
  expect(claimsOf(access_token)).toMatchObject({ aud: ['peer', proxyClient.id], azp: proxyClient.id })
})

test('scopes decide the claims', async () => {
  const { broker } = await openWorld()
  const code = await signIn(openBrowser(broker), { scope: 'openid federated:id' })
  const claims = claimsOf((await redeem(broker, code)).id_token)
  expect(Object.keys(claims)).toEqual([
    'iss',
    'sub',
    'aud',
    'exp',
    'iat',
    'at_hash',
    'c_hash',
    'federated_claims',
    'sid',
  ])
  expect(claims['federated_claims']).toEqual({ connector_id: 'local', user_id: user.userID })
})

test('with several connectors the visitor chooses, by name; connector_id chooses at once', async () => {
  const { broker } = await openWorld({ connectors: [mock, { ...mock, id: 'zeta', name: 'Zeta' }] })
  const browser = openBrowser(broker)
  const picker = await browser.get(authPath())
  expect(picker.status).toBe(200)
  const page = await picker.text()
  const links = [...page.matchAll(/class="choice" href="([^"]+)">([^<]+)</g)].map(([, href, name]) => [
    name,
    href?.split('?')[0],
  ])
  expect(links).toEqual([
    ['Email', '/dex/auth/local'],
    ['Example', '/dex/auth/mock'],
    ['Zeta', '/dex/auth/zeta'],
  ])
  const chosen = await browser.get(authPath({ connector_id: 'mock' }))
  expect([chosen.status, chosen.headers.get('location')?.split('?')[0]]).toEqual([302, '/dex/auth/mock'])
  expect(chosen.headers.get('location')).not.toContain('connector_id')
  expect((await browser.get(authPath({ connector_id: 'nobody' }))).status).toBe(400)
})

test('a form works as well as a query at /auth', async () => {
  const { broker } = await openWorld()
  const response = await openBrowser(broker).post('/dex/auth', {
    client_id: proxyClient.id,
    redirect_uri: '/oauth2/callback',
  })
  expect(response.headers.get('location')).toBe(
    `/dex/auth/local?client_id=${proxyClient.id}&redirect_uri=%2Foauth2%2Fcallback`,
  )
})

test('alwaysShowLoginScreen shows the choice even where there is only one', async () => {
  const { broker } = await openWorld({ oauth2: { alwaysShowLoginScreen: true } })
  expect((await openBrowser(broker).get(authPath())).status).toBe(200)
})

test('the mock connector signs in at once; its user is Dex’s', async () => {
  const { broker } = await openWorld({ connectors: [mock], enablePasswordDB: false, staticPasswords: [] })
  const browser = openBrowser(broker)
  const away = await browser.follow(authPath())
  const callback = new URL(away.response.headers.get('location') ?? '')
  const answer = await browser.get(`${callback.pathname}${callback.search}`)
  const code = new URL(answer.headers.get('location') ?? '', callback).searchParams.get('code') ?? ''
  expect(claimsOf((await redeem(broker, code)).id_token)).toMatchObject({
    sub: 'Cg0wLTM4NS0yODA4OS0wEgRtb2Nr',
    groups: ['authors'],
    name: 'Kilgore Trout',
  })
})

test('a client that names its connectors is offered and given no other, at any door', async () => {
  const picky = { ...proxyClient, allowedConnectors: ['mock'] }
  const config = {
    connectors: [mock],
    staticClients: [picky],
    oauth2: { passwordConnector: 'local', skipApprovalScreen: true },
  }
  const { broker, reopen } = await openWorld({ ...config, staticClients: [proxyClient] })
  const browser = openBrowser(broker)
  const before = await redeem(broker, await signIn(browser))
  const strict = await reopen(config)
  const strictBrowser = openBrowser(strict)
  expect((await strictBrowser.get(authPath())).headers.get('location')).toMatch('/dex/auth/mock?')
  expect((await strictBrowser.get(authPath({}, '/dex/auth/local'))).status).toBe(403)
  expect((await strictBrowser.get(authPath({ connector_id: 'local' }))).status).toBe(400)
  const grant = { grant_type: 'password', username: user.email, password: 'password', scope: 'openid' }
  expect((await tokenRequest(strict, grant)).status).toBe(400)
  const refresh = { grant_type: 'refresh_token', refresh_token: before.refresh_token ?? '' }
  expect(((await (await tokenRequest(strict, refresh)).json()) as TokenBody & { error: string }).error).toBe(
    'invalid_grant',
  )
})
