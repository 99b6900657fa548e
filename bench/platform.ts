import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { stockPolicies } from '../src/config/stock.ts'
import { httpClient } from '../test/world/http-client.ts'
import { ada, platformFiles } from '../test/world/platform-files.ts'
import { freePort, workDirectory } from '../test/world/programs.ts'
import { serverCpu } from './load.ts'
import { type BenchProcess, startProcess } from './process.ts'

/** Name and secret of the session cookie every program of a run shares. */
export const cookieName = 'oauth2_proxy_kubeflow'
export const cookieSecret = 'Fq7b4uIcRAZfS9wGtu1uJ4z0E1o2kQ0Wb1r3m5t8y6A='

/** Paths whose servers guard themselves. */
export const exemptPaths = ['/dex/*', '/oauth2/*', '/auth/*', '/gatehouse/*']

/** How large a platform is: its VirtualService routes and AuthorizationPolicies beside the stock's. */
export interface PlatformSize {
  readonly routes: number
  readonly policies: number
}

/** A platform's files with an application at `/app/`. @returns the directory. */
export function benchPlatform({
  applicationPort,
  size = { routes: 1, policies: 0 },
}: {
  applicationPort: number
  size?: PlatformSize
}): string {
  const directory = platformFiles({
    proxySettings: [`cookie_name = "${cookieName}"`, `cookie_secret = "${cookieSecret}"`],
  })
  const route = {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: 'app', namespace: 'app' },
    spec: {
      gateways: ['kubeflow/kubeflow-gateway'],
      hosts: ['*'],
      http: [...notebookPrefixes(size.routes - 1), '/app/'].map((prefix) => ({
        match: [{ uri: { prefix } }],
        route: [{ destination: { host: '127.0.0.1', port: { number: applicationPort } } }],
      })),
    },
  }
  // a directory with policies of its own gets none of the stock's
  const stock = size.policies > 0 ? stockPolicies(exemptPaths).map(({ value }) => value) : []
  const documents = [route, ...stock, ...notebookPolicies(size.policies)]
  writeFileSync(
    join(directory, 'route.yaml'),
    documents.map((document) => `---\n${JSON.stringify(document)}\n`).join(''),
  )
  return directory
}

/** Notebooks of many namespaces, half of them under their own first segment. */
function notebookPrefixes(count: number): string[] {
  return Array.from({ length: count }, (_, at) => (at % 2 ? `/notebook/team-${at}/lab/` : `/lab-${at}`))
}

/** Each keeps one team's notebooks to that team, by its groups or by its owner. */
export function notebookPolicies(count: number): unknown[] {
  return Array.from({ length: count }, (_, at) => ({
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: { name: `team-${at}`, namespace: 'istio-system' },
    spec: {
      selector: { matchLabels: { app: 'istio-ingressgateway' } },
      action: 'DENY',
      rules: [
        {
          to: [{ operation: { paths: [`/notebook/team-${at}/*`, `/team-${at}`] } }],
          when: [
            at % 2
              ? { key: 'request.auth.claims[groups]', notValues: [`team-${at}`] }
              : { key: 'request.headers[kubeflow-userid]', notValues: [`owner-${at}@example.com`] },
          ],
        },
      ],
    },
  }))
}

/** A whole chain in a process of its own, and a session in it. */
export interface BenchChain extends BenchProcess {
  readonly origin: string
  /** The `Cookie` header of somebody who is signed in. */
  readonly cookie: string
  /** Its data directory. */
  readonly data: string
}

/** Starts `gatehouse up --from directory` and signs in; Node gets `nodeArguments` more. */
export async function startChain(
  directory: string,
  { nodeArguments = [], env = {} }: { nodeArguments?: readonly string[]; env?: Readonly<Record<string, string>> } = {},
): Promise<BenchChain> {
  const port = await freePort()
  const origin = `http://localhost:${port}`
  const data = workDirectory('bench')
  const [node = '', ...command] = upCommand({ port, data })
  const running = await startProcess([node, ...nodeArguments, ...command, '--from', directory], {
    cpu: serverCpu,
    readyUrl: `${origin}/dex/healthz`,
    env,
  })
  return { ...running, origin, data, cookie: await signIn(`${origin}/app/`) }
}

/** The command line of `gatehouse up`. */
export function upCommand({ port, data }: { port: number; data: string }): string[] {
  const main = new URL('../src/main.mjs', import.meta.url).pathname
  return [process.execPath, main, 'up', '--port', String(port), '--data', data, '--log-level', 'error']
}

async function signIn(url: string): Promise<string> {
  const browser = httpClient()
  const form = await browser.follow(url)
  const page = await browser.submit(form, { username: ada.username, password: ada.password })
  if (page.url !== url || page.response.status !== 200) throw new Error(`signing in ended at ${page.url}`)
  const sessions = [...browser.cookies.values()].filter(({ name }) => name.startsWith(cookieName))
  return sessions.map(({ name, value }) => `${name}=${value}`).join('; ')
}
