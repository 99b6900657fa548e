import { expect, test } from 'vitest'
import { authUrl, formAction, realmWorld, signIn, smallRealm } from './realm-world.ts'

const strict = {
  ...smallRealm,
  clients: [
    ...smallRealm.clients,
    { clientId: 'noflow', standardFlowEnabled: false, secret: 'x', redirectUris: ['https://app.example.com/callback'] },
    { clientId: 'bearer', bearerOnly: true, redirectUris: ['https://app.example.com/callback'] },
    { clientId: 'off', enabled: false, secret: 'x', redirectUris: ['https://app.example.com/callback'] },
    {
      clientId: 's256',
      publicClient: true,
      redirectUris: ['https://app.example.com/callback'],
      attributes: { 'pkce.code.challenge.method': 'S256' },
    },
    { clientId: 'two', publicClient: true, redirectUris: ['https://two.example.com/a', 'https://two.example.com/b'] },
  ],
}
const challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'

const pageErrors: readonly [string, number, string, Record<string, string | undefined>][] = [
  ['no client', 400, 'Missing parameters: client_id', { client_id: undefined }],
  ['an unknown client', 400, 'Client not found.', { client_id: 'nobody' }],
  ['a disabled client', 400, 'Client disabled.', { client_id: 'off' }],
  [
    'a bearer-only client, before its redirect URI',
    403,
    'Bearer-only applications',
    { client_id: 'bearer', redirect_uri: 'x' },
  ],
  ['a foreign redirect URI', 400, 'Invalid parameter: redirect_uri', { redirect_uri: 'https://evil.example/' }],
  [
    'no redirect URI where two are registered',
    400,
    'Invalid parameter: redirect_uri',
    { client_id: 'two', redirect_uri: undefined },
  ],
  [
    'a max_age that is no number, before the redirect URI',
    400,
    'Invalid Request',
    { max_age: 'abc', redirect_uri: 'x' },
  ],
  ['an empty max_age', 400, 'Invalid Request', { max_age: '' }],
  ['registration', 400, 'Registration not allowed', { prompt: 'create' }],
]

test.each(pageErrors)('%s is told on a page and never redirected', async (_name, status, message, parameters) => {
  const world = await realmWorld({ realm: strict })
  const answer = await world.browser().fetch(authUrl(world, parameters))
  expect([answer.status, answer.headers.get('location')]).toEqual([status, null])
  const text = await answer.text()
  expect(text).toContain(message)
  expect(text).toContain('request-1')
})

const redirectErrors: readonly [string, string, string | null, Record<string, string | undefined>][] = [
  [
    'no response_type, before a bad scope',
    'invalid_request',
    'Missing parameter: response_type',
    { response_type: undefined, scope: 'x' },
  ],
  ['an unknown response_type', 'unsupported_response_type', null, { response_type: 'foo', response_mode: 'bogus' }],
  ['an empty response_type', 'unsupported_response_type', null, { response_type: '' }],
  ['an upper-case response_type', 'unsupported_response_type', null, { response_type: 'CODE' }],
  ['a bad response_mode', 'invalid_request', 'Invalid parameter: response_mode', { response_mode: 'web_message' }],
  [
    'a client without the standard flow',
    'unauthorized_client',
    'Client is not allowed to initiate browser login with given response_type. Standard flow is disabled for the client.',
    { client_id: 'noflow' },
  ],
  ['an unknown scope, echoed raw', 'invalid_scope', 'Invalid scopes: openid  nosuch', { scope: 'openid  nosuch' }],
  ['an empty scope', 'invalid_scope', 'Invalid scopes: ', { scope: '' }],
  [
    'a bad scope before PKCE',
    'invalid_scope',
    'Invalid scopes: nosuch',
    { scope: 'nosuch', code_challenge_method: 'S256' },
  ],
  [
    'a method without challenge',
    'invalid_request',
    'Missing parameter: code_challenge',
    { code_challenge_method: 'bogus' },
  ],
  [
    'an unknown challenge method',
    'invalid_request',
    'Invalid parameter: code_challenge_method',
    { code_challenge: challenge, code_challenge_method: 'bogus' },
  ],
  [
    'a malformed challenge',
    'invalid_request',
    'Invalid parameter: code_challenge',
    { code_challenge: 'short', code_challenge_method: 'S256' },
  ],
  [
    'no challenge where S256 is demanded',
    'invalid_request',
    'Missing parameter: code_challenge',
    { client_id: 's256' },
  ],
  [
    'plain where S256 is demanded',
    'invalid_request',
    'Invalid parameter: code_challenge_method',
    { client_id: 's256', code_challenge: challenge },
  ],
  [
    'PKCE before prompt=none',
    'invalid_request',
    'Missing parameter: code_challenge',
    { client_id: 's256', prompt: 'none' },
  ],
  ['prompt=none without a session', 'login_required', null, { prompt: 'none' }],
  ['a request object', 'request_not_supported', null, { request: 'eyJ' }],
  ['a request_uri', 'request_uri_not_supported', null, { request_uri: 'https://x.example/' }],
]

test.each(redirectErrors)('%s is told to the client', async (_name, error, description, parameters) => {
  const world = await realmWorld({ realm: strict })
  const answer = await world.browser().fetch(authUrl(world, parameters))
  expect(answer.status).toBe(302)
  const location = new URL(answer.headers.get('location') ?? '')
  expect(`${location.origin}${location.pathname}`).toBe('https://app.example.com/callback')
  const expected = {
    error,
    ...(description === null ? {} : { error_description: description }),
    state: 's1',
    iss: world.issuer,
  }
  expect(Object.fromEntries(location.searchParams)).toEqual(expected)
})

test('a parameter sent twice is refused, even one nobody reads, and the first state is echoed', async () => {
  const world = await realmWorld()
  for (const repeated of ['state=s2', 'zz=1&zz=2', 'nonce=a&nonce=b']) {
    const answer = await world.browser().fetch(`${authUrl(world)}&${repeated}`)
    const location = new URL(answer.headers.get('location') ?? '')
    expect(location.searchParams.get('error_description')).toBe('duplicated parameter')
    expect(location.searchParams.get('state')).toBe('s1')
  }
  const client = await world.browser().fetch(`${authUrl(world)}&client_id=app`)
  expect([client.status, client.headers.get('location')]).toEqual([400, null])
})

test('implicit response types are refused in the fragment', async () => {
  const world = await realmWorld()
  for (const response_type of ['token', 'id_token', 'code id_token']) {
    const answer = await world.browser().fetch(authUrl(world, { response_type }))
    const { hash, search } = new URL(answer.headers.get('location') ?? '')
    expect(search).toBe('')
    expect(new URLSearchParams(hash.slice(1)).get('error_description')).toContain('Implicit flow is disabled')
  }
})

test('an empty state is echoed, an absent one is not', async () => {
  const world = await realmWorld()
  const empty = await world.browser().fetch(authUrl(world, { state: '', prompt: 'none' }))
  expect(empty.headers.get('location')).toContain('&state=&')
  const absent = await world.browser().fetch(authUrl(world, { state: undefined, prompt: 'none' }))
  expect(absent.headers.get('location')).not.toContain('state')
})

test('a POST is read from its body alone', async () => {
  const world = await realmWorld()
  const { searchParams } = new URL(authUrl(world))
  const inBody = await world.browser().post(`${world.oidc}/auth`, searchParams)
  expect(await inBody.text()).toContain('id="kc-form-login"')
  const inQuery = await world.browser().post(authUrl(world), {})
  expect(inQuery.status).toBe(400)
})

test('the answer travels in the query, the fragment or a form as asked', async () => {
  const world = await realmWorld()
  const inFragment = await signIn(world, world.browser(), { response_mode: 'fragment' })
  expect([...new URLSearchParams(inFragment.hash.slice(1)).keys()]).toEqual(['state', 'session_state', 'iss', 'code'])

  const browser = world.browser()
  const page = await browser.fetch(authUrl(world, { response_mode: 'form_post' }))
  const form = await (await browser.post(await formAction(page), { username: 'ada', password: 'correct horse' })).text()
  expect(form).toContain('action="https://app.example.com/callback"')
  const names = [...form.matchAll(/type="hidden" name="([^"]+)"/g)].map(([, name]) => name)
  expect(names).toEqual(['code', 'iss', 'state', 'session_state'])
})

test('without a redirect URI the only one registered is used, and the code needs none either', async () => {
  const world = await realmWorld()
  const redirect = await signIn(world, world.browser(), { client_id: 'spa', redirect_uri: undefined })
  expect(redirect.origin).toBe('https://spa.example.com')
  const code = redirect.searchParams.get('code') ?? ''
  const form = { grant_type: 'authorization_code', code, client_id: 'spa' }
  expect((await world.browser().post(`${world.oidc}/token`, form)).status).toBe(200)
})

test('a signed-in browser is sent back at once; prompt and max_age can ask it to sign in again', async () => {
  const world = await realmWorld()
  const browser = world.browser()
  await signIn(world, browser)
  const ask = async (parameters: Record<string, string>) => {
    const answer = await browser.fetch(authUrl(world, parameters))
    const location = answer.headers.get('location')
    return location === null ? 'form' : (new URL(location).searchParams.get('error') ?? 'code')
  }
  expect(await ask({})).toBe('code')
  expect(await ask({ prompt: 'none' })).toBe('code')
  expect(await ask({ prompt: 'none consent' })).toBe('code')
  expect(await ask({ prompt: 'bogus' })).toBe('code')
  expect(await ask({ prompt: 'login' })).toBe('form')
  expect(await ask({ prompt: 'none login' })).toBe('login_required')
  expect(await ask({ max_age: '0' })).toBe('code')
  world.clock.advance(61_000)
  expect(await ask({ max_age: '61' })).toBe('code')
  expect(await ask({ max_age: '60' })).toBe('form')
  expect(await ask({ max_age: '60', prompt: 'none' })).toBe('login_required')
})

test('a realm that is switched off lets nobody in', async () => {
  const world = await realmWorld({ realm: { ...smallRealm, enabled: false } })
  const page = await world.browser().fetch(authUrl(world))
  expect([page.status, (await page.text()).includes('Realm not enabled')]).toEqual([403, true])
})
