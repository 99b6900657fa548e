import { generateKeyPairSync } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { clientFiles, removeClientFiles, writeClientFiles } from '../../src/app/client-files.ts'
import { publicJwk } from '../../src/tokens/jwk.ts'
import { signJwt } from '../../src/tokens/sign.ts'
import { type TestGatehouse, testGatehouse } from '../world/gatehouse.ts'
import { httpClient } from '../world/http-client.ts'
import { ada, platformFiles } from '../world/platform-files.ts'

// How programs written for Kubeflow Pipelines get in, over the whole chain.

const stock = fileURLToPath(new URL('../fixtures/kubeflow/stock', import.meta.url))

let gatehouse: TestGatehouse | undefined
afterEach(async () => {
  await gatehouse?.close()
  gatehouse = undefined
})

async function platform(from: string): Promise<string> {
  gatehouse = await testGatehouse({ from })
  return gatehouse.publicUrl
}

/** The stock manifests, with one text for another. */
function stockWith(before: string, after: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-kfp-'))
  cpSync(stock, directory, { recursive: true })
  const file = join(directory, 'kubeflow.yaml')
  const text = readFileSync(file, 'utf8')
  expect(text).toContain(before)
  writeFileSync(file, text.replace(before, after))
  return directory
}

/**
 * `KFPClientManager` of Kubeflow's documentation (kubeflow/manifests tests/dex_login_test.py is the same), step by step:
 * it knows Dex's paths and the two fields of its form, and nothing of hidden ones. @returns what it gives kfp as `cookies`,
 * and whether it had to approve
 */
async function kfpClientManager(apiUrl: string, password = '12341234') {
  const session = httpClient()
  const first = await session.follow(apiUrl)
  let page = first
  if ([401, 403].includes(first.response.status)) {
    const start = new URL('/oauth2/start', first.url)
    start.searchParams.set('rd', new URL(first.url).pathname)
    page = await session.follow(start.href)
  } else if (first.response.status !== 200) throw new Error(`HTTP status code '${first.response.status}' for GET`)
  if (page.hops.length === 1) throw new Error('no login is asked for')
  const url = new URL(page.url)
  if (/\/auth$/.test(url.pathname)) url.pathname += '/local'
  if (!/\/auth\/.*\/login$/.test(url.pathname)) url.href = (await session.follow(url.href)).url
  const fields = new URLSearchParams({ login: 'user@example.com', password })
  let signedIn = await session.follow(url.href, { method: 'POST', body: fields })
  if (signedIn.hops.length === 1) throw new Error('Login credentials are probably invalid')
  const isAsked = /\/approval$/.test(new URL(signedIn.url).pathname)
  if (isAsked) {
    const approval = new URLSearchParams({ approval: 'approve' })
    signedIn = await session.follow(signedIn.url, { method: 'POST', body: approval })
  }
  if (signedIn.response.status !== 200) throw new Error(`HTTP status code '${signedIn.response.status}' for POST`)
  return { cookies: [...session.cookies.values()].map(({ name, value }) => `${name}=${value}`).join('; '), isAsked }
}

/** `kfp.Client(cookies=…)`: who the app says it is. */
async function userOf(url: string, cookies: string): Promise<unknown> {
  const answer = await httpClient().send(url, { headers: { cookie: cookies, accept: 'application/json' } })
  return answer.status === 200 ? ((await answer.json()) as { user: unknown }).user : answer.status
}

test.each([
  ['as it stands', 'skipApprovalScreen: true', false],
  ['that asks for consent', 'skipApprovalScreen: false', true],
])('KFPClientManager signs in at a Dex %s', async (_, setting, asks) => {
  const origin = await platform(stockWith('skipApprovalScreen: true', setting))
  const { cookies, isAsked } = await kfpClientManager(`${origin}/echo/`)
  expect(isAsked).toBe(asks)
  expect(cookies).toContain('oauth2_proxy_kubeflow=')
  expect(await userOf(`${origin}/echo/`, cookies)).toBe('user@example.com')
  await expect(kfpClientManager(`${origin}/echo/`, 'wrong')).rejects.toThrow('credentials are probably invalid')
})

test.each(['oauth2_proxy_kubeflow', 'authservice_session'])(
  'kfp.Client(cookies=…) is let in by every part of %s, in any order, and by no part alone',
  async (name) => {
    const moreGroups = Array.from({ length: 250 }, (_, at) => `team-${at}-${at * 7919}`)
    const from = platformFiles({ moreGroups, proxySettings: [`cookie_name = "${name}"`] })
    const origin = await platform(from)
    const browser = httpClient()
    const page = await browser.follow(`${origin}/echo/`)
    const landed = await browser.submit(page, { username: ada.username, password: ada.password })
    expect(landed.url).toBe(`${origin}/echo/`)
    const parts = [...browser.cookies.values()].filter((one) => one.name.startsWith(`${name}_`))
    expect(parts.length).toBeGreaterThan(1)
    const written = parts.map((part) => `${part.name}=${part.value}`)
    expect(await userOf(`${origin}/echo/`, written.join('; '))).toBe(ada.email)
    expect(await userOf(`${origin}/echo/`, `a=b; ${written.toReversed().join('; ')}`)).toBe(ada.email)
    for (const part of written) expect(await userOf(`${origin}/echo/`, part)).toBe(401)
  },
)

test('a sign-in from a terminal is in the context that kfp reads, beside what was there, for its owner only', () => {
  const files = clientFiles(mkdtempSync(join(tmpdir(), 'gatehouse-home-')), 'https://kubeflow.example.com')
  const contextOf = () => JSON.parse(readFileSync(files.kfp, 'utf8')) as unknown
  const login = {
    ...{ url: 'https://kubeflow.example.com', cookieName: 'kf', token: 'gha_x', id: 'i', email: ada.email },
    expires: '2026-12-22T00:00:00Z',
  }
  writeClientFiles(files, login)
  expect(contextOf()).toEqual({ namespace: '', client_authentication_cookie: 'kf=gha_x' })
  for (const file of Object.values(files)) expect(statSync(file).mode & 0o077, file).toBe(0)
  removeClientFiles(files)
  for (const file of Object.values(files)) expect(existsSync(file), file).toBe(false)

  mkdirSync(dirname(files.kfp), { recursive: true })
  writeFileSync(files.kfp, JSON.stringify({ namespace: 'team', client_authentication_header_name: 'x' }))
  writeClientFiles(files, login)
  expect(contextOf()).toEqual({
    namespace: 'team',
    client_authentication_header_name: 'x',
    client_authentication_cookie: 'kf=gha_x',
  })
  removeClientFiles(files)
  expect(contextOf()).toEqual({ namespace: 'team', client_authentication_header_name: 'x' })

  mkdirSync(dirname(files.kfp), { recursive: true })
  writeFileSync(files.kfp, 'not json')
  expect(() => writeClientFiles(files, login)).toThrow(files.kfp)
})

test('ServiceAccountTokenVolumeCredentials get in where a rule names the cluster’s issuer and its keys', async () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const key = { kid: 'sa-1', alg: 'RS256' as const }
  const issuer = 'https://kubernetes.default.svc.cluster.local'
  const rule = {
    ...{ issuer, jwks: JSON.stringify({ keys: [publicJwk(privateKey, key)] }), audiences: ['pipelines.kubeflow.org'] },
    ...{ forwardOriginalToken: true, outputClaimToHeaders: [{ header: 'kubeflow-userid', claim: 'sub' }] },
  }
  const resource = {
    ...{ apiVersion: 'security.istio.io/v1', kind: 'RequestAuthentication' },
    metadata: { name: 'm2m', namespace: 'istio-system' },
    spec: {
      selector: { matchLabels: { app: 'istio-ingressgateway' } },
      jwtRules: [{ issuer: 'https://platform.example.com/dex' }, rule],
    },
  }
  const from = platformFiles()
  writeFileSync(join(from, 'm2m.yaml'), JSON.stringify(resource))
  const origin = await platform(from)
  const sub = 'system:serviceaccount:team:default-editor'
  const send = async (claims: object) => {
    const exp = Math.floor(Date.now() / 1000) + 7200
    const token = await signJwt({ iss: issuer, sub, exp, ...claims }, { ...key, privateKey })
    const headers = { authorization: `Bearer ${token}`, accept: 'application/json' }
    const answer = await httpClient().send(`${origin}/echo/`, { headers })
    return answer.status === 200 ? ((await answer.json()) as { user: unknown }).user : answer.status
  }
  expect(await send({ aud: ['pipelines.kubeflow.org'] })).toBe(sub)
  expect(await send({ aud: ['vault'] })).toBe(403)
  expect(await send({ aud: ['pipelines.kubeflow.org'], iss: 'https://other.example' })).toBe(401)
})
