import { execFile } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { publicJwk } from '../../src/tokens/jwk.ts'
import { signJwt } from '../../src/tokens/sign.ts'
import { runGatehouse } from '../world/command.ts'
import { type TestGatehouse, testGatehouse } from '../world/gatehouse.ts'
import { httpClient } from '../world/http-client.ts'
import { ada, platformFiles } from '../world/platform-files.ts'
import { describeWith } from './programs.ts'

const issuer = 'https://kubernetes.default.svc.cluster.local'
const account = 'system:serviceaccount:team:default-editor'
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const key = { kid: 'sa-1', alg: 'RS256' as const }

/** What a pod brings, verified by keys written inline. */
const machines = {
  ...{ apiVersion: 'security.istio.io/v1', kind: 'RequestAuthentication' },
  metadata: { name: 'm2m', namespace: 'istio-system' },
  spec: {
    selector: { matchLabels: { app: 'istio-ingressgateway' } },
    jwtRules: [
      {
        ...{ issuer: 'https://platform.example.com/dex', forwardOriginalToken: true },
        outputClaimToHeaders: [{ header: 'kubeflow-userid', claim: 'email' }],
      },
      {
        ...{ issuer, audiences: ['pipelines.kubeflow.org'], forwardOriginalToken: true },
        jwks: JSON.stringify({ keys: [publicJwk(privateKey, key)] }),
        outputClaimToHeaders: [{ header: 'kubeflow-userid', claim: 'sub' }],
      },
    ],
  },
}

const route = (port: number) => ({
  ...{ apiVersion: 'networking.istio.io/v1', kind: 'VirtualService' },
  metadata: { name: 'ml-pipeline', namespace: 'kubeflow' },
  spec: {
    ...{ gateways: ['kubeflow/kubeflow-gateway'], hosts: ['*'] },
    http: [
      {
        match: [{ uri: { prefix: '/pipeline/' } }],
        route: [{ destination: { host: '127.0.0.1', port: { number: port } } }],
      },
    ],
  },
})

/** The user of each request, by the two answers a client needs. */
const pipelines = createServer(({ url = '', headers }, response) => {
  const user = String(headers['kubeflow-userid'])
  const isHealth = url.endsWith('/healthz')
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify(isHealth ? { multi_user: true } : { experiments: [{ display_name: user }] }))
})

describeWith({ name: 'kfp', from: 'the package kfp from PyPI' }, (program) => {
  // the Python its first line names, which has the package
  const python = /^#!(\S+)/.exec(readFileSync(program, 'utf8'))?.[1] ?? 'python3'
  const home = mkdtempSync(join(tmpdir(), 'gatehouse-kfp-'))
  let gatehouse: TestGatehouse
  beforeAll(async () => {
    vi.stubEnv('HOME', home)
    pipelines.listen(0, '127.0.0.1')
    await once(pipelines, 'listening')
    const directory = platformFiles()
    const { port } = pipelines.address() as AddressInfo
    writeFileSync(join(directory, 'apps.json'), JSON.stringify({ kind: 'List', items: [machines, route(port)] }))
    gatehouse = await testGatehouse({ from: directory })
  })
  afterAll(async () => {
    await gatehouse?.close()
    pipelines.close()
    vi.unstubAllEnvs()
  })

  /** Whom the pipelines take a client for that is made so. */
  async function userOf(client: string): Promise<string> {
    const lines = [
      'import kfp, kfp.client',
      `host = '${gatehouse.publicUrl}/pipeline'`,
      `print('user', ${client}.list_experiments(namespace='team').experiments[0].display_name)`,
    ]
    const { stdout } = await promisify(execFile)(python, ['-W', 'ignore', '-c', lines.join('\n')], { env: process.env })
    return /^user (.*)$/m.exec(stdout)?.[1] ?? stdout
  }

  test('after `gatehouse login` a kfp client is its user, who says nothing of it', async () => {
    const login = runGatehouse('login', gatehouse.publicUrl, '--no-browser', '--path', '/pipeline')
    const [link] = await login.until(/http:\S+\/oauth2\/device\S+/)
    const browser = httpClient()
    const asked = await browser.follow(link)
    const form = await browser.submit(asked, { answer: 'allow' })
    await browser.submit(form, { username: ada.username, password: ada.password })
    expect([await login.ended(), login.text()]).toEqual([0, expect.stringContaining(ada.email)])
    expect(await userOf('kfp.Client(host=host)')).toBe(ada.email)
  })

  test('a client with a token of its own is its user', async () => {
    const context = JSON.parse(readFileSync(join(home, '.config/kfp/context.json'), 'utf8')) as Record<string, string>
    const token = context['client_authentication_cookie']?.split('=')[1]
    expect(await userOf(`kfp.Client(host=host, existing_token='${token}')`)).toBe(ada.email)
  })

  test('a client in a pod is its service account', async () => {
    const exp = Math.floor(Date.now() / 1000) + 7200
    const claims = { iss: issuer, sub: account, aud: ['pipelines.kubeflow.org'], exp }
    const file = join(home, 'token')
    writeFileSync(file, await signJwt(claims, { ...key, privateKey }))
    const credentials = `kfp.client.ServiceAccountTokenVolumeCredentials(path='${file}')`
    expect(await userOf(`kfp.Client(host=host, credentials=${credentials})`)).toBe(account)
  })
})
