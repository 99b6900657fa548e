import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Ask } from '../../src/gateway/ask.ts'
import type { GatewayMode } from '../../src/gateway/gateway-mode.ts'
import { dexIssuer, type GatewayWorld, gatewayWorld, kubeIssuer, mint, stockPolicies } from './gateway-world.ts'

const nowSeconds = Date.UTC(2026, 0, 1) / 1000
const ada = {
  iss: dexIssuer,
  sub: 'CgNhZGE',
  aud: 'kubeflow-oidc-authservice',
  exp: nowSeconds + 3600,
  email: 'ada@example.com',
  groups: ['team-a', 'team-b'],
}
const expired = { ...ada, exp: nowSeconds - 3600 }
const editor = { iss: kubeIssuer, sub: 'system:serviceaccount:team:default-editor', exp: nowSeconds + 600 }

const [adaToken, expiredToken, editorToken, foreignToken] = await Promise.all([
  mint(ada),
  mint(expired),
  mint(editor),
  mint({ ...ada, iss: 'https://elsewhere.example' }),
])

/** oauth2-proxy as Kubeflow configures it, as far as the gateway sees it. */
const oauth2Proxy: Ask = ({ path, headers }) => {
  if (['/ping', '/ready', '/robots.txt'].includes(path)) return { status: 200, headers: [], body: 'OK' }
  if (headers['cookie'] === 'oauth2_proxy_kubeflow=session') {
    return {
      status: 200,
      headers: ['Authorization', `Bearer ${adaToken}`, 'X-Auth-Request-Email', ada.email],
      body: '',
    }
  }
  if (headers['cookie'] === 'oauth2_proxy_kubeflow=stale') {
    return { status: 200, headers: ['Authorization', `Bearer ${expiredToken}`], body: '' }
  }
  if (/\/apis?\//.test(path)) return { status: 401, headers: ['Content-Type', 'application/json'], body: '{}' }
  return { status: 403, headers: ['Content-Type', 'text/html', 'X-Inner', 'secret'], body: 'sign in' }
}

const session = { cookie: 'oauth2_proxy_kubeflow=session' }
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const signIn = { status: 403, body: 'sign in' }
const denied = { status: 403, body: 'RBAC: access denied' }
const passed = { status: 200, body: 'from the app' }

const world = {} as Record<GatewayMode, GatewayWorld>
beforeAll(async () => {
  for (const mode of ['istio', 'native'] as const) {
    world[mode] = await gatewayWorld({ yaml: stockPolicies(), mode, ask: oauth2Proxy })
  }
})
afterAll(async () => {
  await Promise.all([world.istio.close(), world.native.close()])
})

describe.each(['istio', 'native'] as const)('in %s mode', (mode) => {
  const send: GatewayWorld['send'] = (...request) => world[mode].send(...request)
  const lastSeen = () => world[mode].seen.at(-1)

  test('without credentials the sign-in page of oauth2-proxy answers', async () => {
    const reply = await send('GET', '/')
    expect(reply).toMatchObject(signIn)
    expect(reply.headers['content-type']).toBe('text/html')
    expect(reply.headers['x-inner']).toBeUndefined()
    expect(reply.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/)
  })

  test('with a session the app is told who it is', async () => {
    expect(await send('GET', '/notebooks', session)).toMatchObject(passed)
    expect(lastSeen()?.headers).toMatchObject({
      'kubeflow-userid': 'ada@example.com',
      'x-auth-request-email': 'ada@example.com',
      authorization: `Bearer ${adaToken}`,
    })
  })

  test('an API path without credentials gets the 401 of oauth2-proxy', async () => {
    const reply = await send('GET', '/pipeline/apis/v2beta1/x')
    expect(reply).toMatchObject({ status: 401, body: '{}' })
  })

  test('a bearer token of Dex passes without the provider being asked', async () => {
    const before = world[mode].asked.length
    expect(await send('GET', '/', bearer(adaToken))).toMatchObject(passed)
    expect(world[mode].asked.length).toBe(before)
    expect(lastSeen()?.headers['kubeflow-userid']).toBe('ada@example.com')
  })

  test('an expired token gets 401 with the words of Envoy', async () => {
    const reply = await send('GET', '/some/path', bearer(expiredToken))
    expect(reply).toMatchObject({ status: 401, body: 'Jwt is expired' })
    expect(reply.headers['www-authenticate']).toBe(
      'Bearer realm="http://platform.example.com/some/path", error="invalid_token"',
    )
    expect(reply.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/)
  })

  test('a token of an unknown issuer gets 401', async () => {
    const reply = await send('GET', '/', bearer(foreignToken))
    expect(reply).toMatchObject({ status: 401, body: 'Jwt issuer is not configured' })
  })

  test('a token of a Kubernetes service account passes as that account', async () => {
    expect(await send('GET', '/', bearer(editorToken))).toMatchObject(passed)
    expect(lastSeen()?.headers['kubeflow-userid']).toBe('system:serviceaccount:team:default-editor')
    expect(lastSeen()?.headers).not.toHaveProperty('kubeflow-groups')
  })

  test('a path oauth2-proxy answers itself is stopped by the second policy', async () => {
    for (const path of ['/ping', '/ready', '/robots.txt']) expect(await send('GET', path)).toMatchObject(denied)
  })

  test('a token in the query is no credential', async () => {
    expect(await send('GET', `/?access_token=${adaToken}`)).toMatchObject(signIn)
  })

  test('exempt paths reach their app without credentials', async () => {
    expect(await send('GET', '/dex/auth')).toMatchObject(passed)
    expect(await send('GET', '/oauth2/start?rd=/')).toMatchObject(passed)
  })

  test('no path is exempt from a token that is expired', async () => {
    expect(await send('GET', '/dex/auth', bearer(expiredToken))).toMatchObject({ status: 401, body: 'Jwt is expired' })
  })

  test.each(['/oauth2', '/dex', '/dexter', '/DEX/x'])('%s is not exempt', async (path) => {
    expect(await send('GET', path)).toMatchObject(signIn)
  })

  test("a client's own kubeflow-userid is replaced, and removed where nothing replaces it", async () => {
    await send('GET', '/', { ...session, 'kubeflow-userid': 'evil@example.com' })
    expect(lastSeen()?.headers['kubeflow-userid']).toBe('ada@example.com')
    await send('GET', '/dex/x', { 'kubeflow-userid': 'evil@example.com' })
    expect(lastSeen()?.headers).not.toHaveProperty('kubeflow-userid')
  })

  test('a preflight without credentials gets the verdict of the provider', async () => {
    const preflight = { origin: 'https://elsewhere.example', 'access-control-request-method': 'GET' }
    const reply = await send('OPTIONS', '/', preflight)
    expect(reply).toMatchObject(signIn)
    expect(reply.headers).not.toHaveProperty('access-control-allow-origin')
  })

  test('a session whose token has expired ends in 401', async () => {
    const reply = await send('GET', '/', { cookie: 'oauth2_proxy_kubeflow=stale' })
    expect(reply).toMatchObject({ status: 401, body: 'Jwt is expired' })
  })

  test.each(['kubeflow.example.com:8443', 'kubeflow.example.com.'])('the host %s is served as any', async (host) => {
    expect(await send('GET', '/', { ...session, host })).toMatchObject(passed)
  })
})

describe('where istio mode keeps a hole that native mode closes', () => {
  const preflight = { origin: 'https://elsewhere.example', 'access-control-request-method': 'GET' }

  test.each(['Basic eDp5', 'token abc', ''])(
    'an Authorization of `%s` skips the login only in istio mode',
    async (authorization) => {
      expect(await world.istio.send('GET', '/', { authorization })).toMatchObject(denied)
      expect(await world.native.send('GET', '/', { authorization })).toMatchObject(signIn)
      expect(await world.native.send('GET', '/', { authorization, ...session })).toMatchObject(passed)
      expect(world.native.seen.at(-1)?.headers.authorization).toBe(`Bearer ${adaToken}`)
    },
  )

  test('a lower-case scheme is no token in istio mode and a verified one in native mode', async () => {
    const authorization = `bearer ${adaToken}`
    expect(await world.istio.send('GET', '/', { authorization })).toMatchObject(denied)
    expect(await world.native.send('GET', '/', { authorization })).toMatchObject(passed)
    expect(world.native.seen.at(-1)?.headers['kubeflow-userid']).toBe('ada@example.com')
    const expiredLower = { authorization: `bearer ${expiredToken}` }
    expect(await world.native.send('GET', '/', expiredLower)).toMatchObject({ status: 401, body: 'Jwt is expired' })
  })

  test('headers of the provider can be spoofed beside a bearer token only in istio mode', async () => {
    const spoofed = { ...bearer(adaToken), 'X-Auth-Request-Email': 'evil@example.com' }
    await world.istio.send('GET', '/', spoofed)
    expect(world.istio.seen.at(-1)?.headers['x-auth-request-email']).toBe('evil@example.com')
    await world.native.send('GET', '/', spoofed)
    expect(world.native.seen.at(-1)?.headers).not.toHaveProperty('x-auth-request-email')
  })

  test('a preflight with a junk token skips verification only in istio mode', async () => {
    const junk = { ...preflight, ...bearer('a.b.c') }
    expect(await world.istio.send('OPTIONS', '/', junk)).toMatchObject(denied)
    expect(await world.native.send('OPTIONS', '/', junk)).toMatchObject({
      status: 401,
      body: 'Jwt header is an invalid Base64url encoded',
    })
  })

  test('a preflight on an exempt path carries a spoofed identity only in istio mode', async () => {
    const spoofed = { ...preflight, 'kubeflow-userid': 'evil@example.com' }
    await world.istio.send('OPTIONS', '/dex/x', spoofed)
    expect(world.istio.seen.at(-1)?.headers['kubeflow-userid']).toBe('evil@example.com')
    await world.native.send('OPTIONS', '/dex/x', spoofed)
    expect(world.native.seen.at(-1)?.headers).not.toHaveProperty('kubeflow-userid')
  })

  test('a list claim is base64 of its JSON in istio mode and joined with commas in native mode', async () => {
    await world.istio.send('GET', '/', bearer(adaToken))
    const encoded = Buffer.from(JSON.stringify(ada.groups)).toString('base64')
    expect(world.istio.seen.at(-1)?.headers['kubeflow-groups']).toBe(encoded)
    await world.native.send('GET', '/', bearer(adaToken))
    expect(world.native.seen.at(-1)?.headers['kubeflow-groups']).toBe('team-a,team-b')
  })
})

test('without the Kubernetes issuer its tokens get 401', async () => {
  const dexOnly = await gatewayWorld({ yaml: stockPolicies({ hasKube: false }), mode: 'istio', ask: oauth2Proxy })
  const reply = await dexOnly.send('GET', '/', bearer(editorToken))
  expect(reply).toMatchObject({ status: 401, body: 'Jwt issuer is not configured' })
  await dexOnly.close()
})
