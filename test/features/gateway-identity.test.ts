import { afterAll, beforeAll, expect, test } from 'vitest'
import { dexIssuer, type GatewayWorld, gatewayWorld, mint, stockPolicies } from './gateway-world.ts'

const token = await mint({ iss: dexIssuer, sub: 's', email: 'ada@example.com', groups: ['/team-a', 'b,admin', 'c'] })
const bearer = { authorization: `Bearer ${token}` }

let world: GatewayWorld
beforeAll(async () => {
  world = await gatewayWorld({ yaml: stockPolicies(), ownCookies: (name) => name.startsWith('oauth2_proxy_kubeflow') })
})
afterAll(() => world.close())

test.each([
  'kubeflow-userid',
  'Kubeflow-Userid',
  'KUBEFLOW-USERID',
  'kubeflow_userid',
  'Kubeflow_UserID',
  'kubeflow.userid',
  'kubeflow-groups',
  'kubeflow_groups',
  'kubeflow-anything',
  'x-auth-request-email',
  'X_Auth_Request_Email',
  'x-auth-request-access-token',
  'x-forwarded-user',
  'X-Forwarded-Email',
  'x-forwarded-groups',
  'x-forwarded-preferred-username',
  'x-forwarded-access-token',
  'x-forwarded-client-cert',
  'x-gatehouse-assertion',
  'x-envoy-original-path',
  'x-original-url',
  'x-rewrite-url',
  'x-forwarded-uri',
  'x-forwarded-prefix',
  'forwarded',
])('a client cannot send %s', async (name) => {
  await world.send('GET', '/dex/open', { [name]: ['evil', 'evil2'] })
  expect(world.seen.at(-1)?.rawHeaders.join('\n')).not.toContain('evil')
  await world.send('GET', '/app', { ...bearer, [name]: 'evil' })
  const seen = world.seen.at(-1)
  expect(seen?.rawHeaders.join('\n')).not.toContain('evil')
  expect(seen?.rawHeaders.filter((one) => one.toLowerCase() === 'kubeflow-userid')).toHaveLength(1)
  expect(seen?.headers['kubeflow-userid']).toBe('ada@example.com')
})

test('a server in front may tell where a sign-in is to lead, which is no identity', async () => {
  await world.send('GET', '/oauth2/sign_in', { 'X-Auth-Request-Redirect': '/reports?a=1&b=2' })
  expect(world.seen.at(-1)?.headers['x-auth-request-redirect']).toBe('/reports?a=1&b=2')
})

test('naming our headers in Connection does not remove them', async () => {
  const connection = 'close, kubeflow-userid, kubeflow-groups, x-forwarded-for, x-request-id, host'
  await world.send('GET', '/app', { ...bearer, connection })
  const headers = world.seen.at(-1)?.headers
  expect(headers).toMatchObject({
    host: 'platform.example.com',
    'kubeflow-userid': 'ada@example.com',
    'x-forwarded-for': '127.0.0.1',
  })
  expect(headers?.['x-request-id']).toMatch(/^[0-9a-f-]{36}$/)
})

test("a header named in Connection is the client's hop's own and is neither judged nor forwarded", async () => {
  const reply = await world.send('GET', '/app', { ...bearer, connection: 'close, authorization' })
  expect(reply).toMatchObject({ status: 403, body: 'RBAC: access denied' })
  await world.send('GET', '/dex/x', { connection: 'x-hop', 'x-hop': '1', 'x-end': '2' })
  expect(world.seen.at(-1)?.headers).not.toHaveProperty('x-hop')
  expect(world.seen.at(-1)?.headers['x-end']).toBe('2')
})

test('groups come without leading slashes, and one with a comma does not come', async () => {
  await world.send('GET', '/app', bearer)
  expect(world.seen.at(-1)?.headers['kubeflow-groups']).toBe('team-a,c')
})

test('a claim beyond ASCII arrives as UTF-8, one with a line break not at all', async () => {
  const named = await mint({ iss: dexIssuer, sub: 's', email: 'zoë@example.com' })
  await world.send('GET', '/app', { authorization: `Bearer ${named}` })
  const value = world.seen.at(-1)?.headers['kubeflow-userid'] ?? ''
  expect(Buffer.from(String(value), 'latin1').toString('utf8')).toBe('zoë@example.com')
  const broken = await mint({ iss: dexIssuer, sub: 's', email: 'a\r\nkubeflow-groups: admin' })
  await world.send('GET', '/app', { authorization: `Bearer ${broken}` })
  expect(world.seen.at(-1)?.headers).not.toHaveProperty('kubeflow-userid')
  expect(world.seen.at(-1)?.headers).not.toHaveProperty('kubeflow-groups')
})

test('the app learns where the request came from', async () => {
  await world.send('GET', '/app?x=1', { ...bearer, 'x-forwarded-for': '6.6.6.6', 'x-forwarded-host': 'evil.example' })
  expect(world.seen.at(-1)).toMatchObject({
    url: '/app?x=1',
    headers: {
      host: 'platform.example.com',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'platform.example.com',
    },
  })
})

test('our own cookies stay with us', async () => {
  const cookie = 'a=1; oauth2_proxy_kubeflow=secret; b=2; oauth2_proxy_kubeflow_0=secret'
  await world.send('GET', '/app', { ...bearer, cookie })
  expect(world.seen.at(-1)?.headers.cookie).toBe('a=1; b=2')
  await world.send('GET', '/app', { ...bearer, cookie: 'oauth2_proxy_kubeflow=secret' })
  expect(world.seen.at(-1)?.headers).not.toHaveProperty('cookie')
})

test('the request id is ours, not the one a client makes up', async () => {
  await world.send('GET', '/app', { ...bearer, 'x-request-id': 'made-up' })
  expect(world.seen.at(-1)?.headers['x-request-id']).not.toBe('made-up')
})

test.each(['Bearer junk', 'Basic eDp5', ''])(
  'a second Authorization of `%s` is refused beside a good one',
  async (other) => {
    const before = world.seen.length
    for (const authorization of [
      [`Bearer ${token}`, other],
      [other, `Bearer ${token}`],
    ]) {
      expect((await world.send('GET', '/app', { authorization })).status).toBe(401)
      expect((await world.send('GET', '/dex/x', { authorization })).status).toBe(401)
    }
    expect(world.seen.length).toBe(before)
  },
)

test('the path judged is the path forwarded', async () => {
  await world.send('GET', '/dex/%2e%2e/dex/a/../b%2fc?q=/../x')
  expect(world.seen.at(-1)?.url).toBe('/dex/b%2fc?q=/../x')
  await world.send('GET', '/dex/../app')
  expect(world.asked.at(-1)?.path).toBe('/app')
})

test.each(['/dex/%00', 'http://user@platform.example.com/dex/x', '*'])('%s is refused as malformed', async (path) => {
  const before = world.seen.length
  expect(await world.send(path === '*' ? 'OPTIONS' : 'GET', path)).toMatchObject({ status: 400 })
  expect(world.seen.length).toBe(before)
})

test('a target in absolute form outranks Host', async () => {
  await world.send('GET', 'http://other.example.com/dex/x?y', { host: 'platform.example.com' })
  expect(world.seen.at(-1)).toMatchObject({ url: '/dex/x?y', headers: { host: 'other.example.com' } })
})
