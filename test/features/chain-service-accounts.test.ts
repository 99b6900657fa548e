import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import type { ChainSource } from '../../src/app/plan-chain.ts'
import { startGatehouse } from '../../src/app/start-gatehouse.ts'
import type { ChainConfig } from '../../src/config/chain.ts'
import type { ProxyConfig } from '../../src/proxy/config.ts'
import { account, accountToken, apiServer } from '../world/api-server.ts'
import { httpClient } from '../world/http-client.ts'
import { openTestChain } from '../world/open-chain.ts'
import { ada, platformFiles } from '../world/platform-files.ts'
import { freePort } from '../world/programs.ts'

const audience = 'istio-ingressgateway.istio-system.svc.cluster.local'
const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

/** What the app tells of a request, or what refuses it. */
async function echo(origin: string, token: string, headers: Readonly<Record<string, string>> = {}) {
  const answer = await fetch(`${origin}/echo/?format=json`, {
    headers: { ...headers, authorization: `Bearer ${token}` },
    redirect: 'manual',
  })
  const body = await answer.text()
  if (answer.status !== 200) return [answer.status, body]
  const { user, groups } = JSON.parse(body) as { user: string; groups: readonly string[] }
  return { user, groups }
}

describe('over files', () => {
  const nowSeconds = Math.floor(Date.now() / 1000)
  const tokenOf = (claims: Readonly<Record<string, unknown>> = {}, signed = {}) =>
    accountToken({ aud: [audience], iat: nowSeconds - 60, exp: nowSeconds + 3600, ...claims }, signed)
  const groups = ['system:serviceaccounts', 'system:authenticated']

  async function cluster() {
    const server = apiServer()
    const { url, close } = await server.listen()
    closing.push(close)
    return { ...server, settings: { kubernetes_api_url: url, kubernetes_token_file: server.tokenFile } }
  }

  async function up(source: ChainSource, gatewayMode?: 'native' | 'istio') {
    const running = await startGatehouse({
      ...{
        source,
        gatewayMode,
        port: source.kind === 'file' ? undefined : 0,
        publicUrl: undefined,
        reset: false,
        logLevel: 'error',
      },
      dataDirectory: mkdtempSync(join(tmpdir(), 'gatehouse-accounts-')),
    })
    closing.push(() => running.close())
    return running.publicUrl
  }

  /** The lines of docs/PROGRAMS.md, as they stand there, in a `gatehouse.yaml`, with where that cluster is. */
  async function documented(settings: Readonly<Record<string, string>>, more = ''): Promise<ChainSource> {
    const page = readFileSync(new URL('../../docs/PROGRAMS.md', import.meta.url), 'utf8')
    const [, lines = ''] = /```yml\n(proxy:\n[\s\S]*?)```/.exec(page) ?? expect.fail('no lines for a gatehouse.yaml')
    const directory = mkdtempSync(join(tmpdir(), 'gatehouse-accounts-'))
    const path = join(directory, 'gatehouse.yaml')
    const own = Object.entries(settings).map(([name, value]) => `  ${name}: ${value}\n`)
    const apps = 'apps: [{ name: echo, prefix: /echo/, host: echo }]\n'
    const publicUrl = `publicUrl: http://localhost:${await freePort()}\n`
    writeFileSync(path, `${publicUrl}${apps}${lines}${own.join('')}${more}`)
    return { kind: 'file', path }
  }

  test('the documented lines let a pod in, under the names and headers people have', async () => {
    const { settings } = await cluster()
    const origin = await up(await documented(settings))
    const forged = { 'kubeflow-userid': 'admin@example.com', 'kubeflow-groups': 'admins', 'x-auth-request-email': 'a' }
    expect(await echo(origin, await tokenOf(), forged)).toEqual({ user: account, groups })
  })

  test('a token for somebody else, a forged one and one of a pod that is gone stay out', async () => {
    const { settings, world } = await cluster()
    const origin = await up(await documented(settings))
    expect(await echo(origin, await tokenOf({ aud: ['vault'] }))).toEqual([403, 'Audiences in Jwt are not allowed'])
    expect(await echo(origin, await tokenOf({}, { isForged: true }))).toEqual([401, 'Jwt verification fails'])
    expect(await echo(origin, await tokenOf({ exp: nowSeconds - 1 }))).toEqual([401, 'Jwt is expired'])
    expect(await echo(origin, await tokenOf({ sub: 'ada' }))).toEqual([401, 'Jwt issuer is not configured'])
    world.alive.clear()
    const refused = [401, 'the cluster does not know this service account token any more']
    expect(await echo(origin, await tokenOf())).toEqual(refused)
  })

  test('a directory of the platform’s own files says the same in oauth2_proxy.cfg', async () => {
    const { settings } = await cluster()
    const path = platformFiles({
      proxySettings: [
        `kubernetes_token_audiences = ["${audience}"]`,
        ...Object.entries(settings).map(([name, value]) => `${name} = "${value}"`),
      ],
    })
    const origin = await up({ kind: 'directory', path })
    expect(await echo(origin, await tokenOf())).toEqual({ user: account, groups })
    const person = httpClient()
    await person.submit(await person.follow(`${origin}/echo/`), { username: ada.username, password: ada.password })
    const seen = (await (await person.send(`${origin}/echo/?format=json`)).json()) as { user: string }
    expect(seen.user).toBe(ada.email)
  })

  test('in istio mode they count for nothing: a mesh knows no such thing', async () => {
    const { settings, world } = await cluster()
    const path = platformFiles({
      proxySettings: [
        `kubernetes_token_audiences = ["${audience}"]`,
        ...Object.entries(settings).map(([name, value]) => `${name} = "${value}"`),
      ],
    })
    const origin = await up({ kind: 'directory', path }, 'istio')
    expect(await echo(origin, await tokenOf())).toEqual([401, 'Jwt issuer is not configured'])
    expect(world.asked).toEqual([])
  })

  test('policies know an account by its principal and its groups', async () => {
    const { settings, world } = await cluster()
    const other = 'system:serviceaccount:other:default'
    world.alive.add(other)
    const source = await documented(settings, 'gateway: { files: [policy.yaml] }\n')
    writeFileSync(
      join(source.kind === 'file' ? source.path : '', '../policy.yaml'),
      `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: one-account-only, namespace: istio-system }
spec:
  selector: { matchLabels: { app: istio-ingressgateway } }
  action: DENY
  rules:
    - from: [{ source: { notRequestPrincipals: ["*/system:serviceaccount:ada-profile:default-editor"] } }]
      when: [{ key: "request.auth.claims[groups]", values: [system:serviceaccounts] }]
`,
    )
    const origin = await up(source)
    expect(await echo(origin, await tokenOf())).toEqual({ user: account, groups })
    expect(await echo(origin, await tokenOf({ sub: other }))).toEqual([403, 'RBAC: access denied'])
  })
})

describe('in time', () => {
  /** The default chain with a cluster, and its clock. */
  async function chain(own: Partial<ProxyConfig> = {}) {
    const cluster = apiServer()
    const settings = { kubernetes_token_audiences: [audience], kubernetes_token_file: cluster.tokenFile, ...own }
    const change = (one: ChainConfig): ChainConfig =>
      one.proxy ? { ...one, proxy: { ...one.proxy, ...settings } } : one
    return { cluster, open: () => openTestChain({ change, clusterFetch: cluster.fetch }) }
  }

  async function opened(own: Partial<ProxyConfig> = {}, { isDown = false } = {}) {
    const { cluster, open } = await chain(own)
    cluster.world.isDown = isDown
    const { publicUrl, clock, close } = await open()
    closing.push(close)
    const exp = Math.floor(clock.now() / 1000) + 7200
    const token = await accountToken({ aud: [audience], exp })
    return { world: cluster.world, clock, token, send: async (text = token) => await echo(publicUrl, text), exp }
  }

  const isIn = { user: account }
  const away = [503, 'whether the cluster knows this service account token cannot be found out now']
  const reviews = (asked: readonly string[]) => asked.filter((path) => path.endsWith('/tokenreviews')).length

  test('a verdict of the API server holds for a minute, then it is asked again', async () => {
    const { world, clock, send } = await opened()
    for (let round = 0; round < 3; round += 1) expect(await send()).toMatchObject(isIn)
    expect(reviews(world.asked)).toBe(1)
    world.alive.clear()
    clock.advance(59_000)
    expect(await send()).toMatchObject(isIn)
    clock.advance(1_000)
    expect(await send()).toEqual([401, 'the cluster does not know this service account token any more'])
  })

  test('an API server that is away is no failed start, and no reason to believe anybody anew', async () => {
    const { world, clock, send } = await opened({}, { isDown: true })
    expect(await send()).toEqual(away)
    world.isDown = false
    clock.advance(10_000)
    expect(await send()).toMatchObject(isIn)
    world.isDown = true
    expect(await send()).toMatchObject(isIn)
    clock.advance(60_000)
    expect(await send()).toEqual(away)
  })

  test('by the keys alone the API server is needed once, in the background', async () => {
    const { world, clock, send, exp } = await opened({ kubernetes_token_review: false })
    expect(await send()).toEqual({
      user: account,
      groups: ['system:serviceaccounts', 'system:serviceaccounts:ada-profile', 'system:authenticated'],
    })
    // each once, in whichever order
    expect(world.asked.toSorted()).toEqual(['/.well-known/openid-configuration', '/openid/v1/jwks'])
    world.isDown = true
    clock.advance(3_600_000)
    expect(await send()).toMatchObject(isIn)
    expect(await send(await accountToken({ aud: [audience], exp, iss: 'https://other.example' }))).toEqual([
      401,
      'Jwt issuer is not configured',
    ])
  })

  test('who may enter is said for accounts, too', async () => {
    const { send } = await opened({ allowed_groups: ['system:serviceaccounts:other'] })
    expect(await send()).toEqual([403, 'this service account may not enter'])
  })
})
