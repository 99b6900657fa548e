import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stockMeshConfig, stockPolicies, stockRequestAuthentication } from '../src/config/stock.ts'
import { type GatewayConfig, parseGatewayConfig } from '../src/gateway/config.ts'
import { namedSource, Problems, type SourceDocument } from '../src/kit/problems.ts'
import { envoyBootstrap } from '../test/interop/envoy-config.ts'
import { findEnvoy } from '../test/interop/envoy-process.ts'
import { freePort, workDirectory } from '../test/world/programs.ts'
import type { BenchServer } from './helpers.ts'
import { serverCpu } from './load.ts'
import type { FrontOrigins } from './peers.ts'
import { exemptPaths, notebookPolicies } from './platform.ts'
import { startProcess } from './process.ts'

/** Who makes the tokens Envoy is to verify, and with which keys. */
export interface TokenIssuer {
  readonly issuer: string
  readonly keySet: unknown
}

/**
 * Envoy with the filters istiod gives an ingress gateway for the same policies: ext_authz over HTTP, jwt_authn, RBAC. One
 * worker; `undefined` where it is not installed.
 */
export async function startEnvoyFront(
  { check, application }: FrontOrigins,
  { policies, ...issuer }: TokenIssuer & { readonly policies: number },
): Promise<BenchServer | undefined> {
  const path = findEnvoy()
  if (path === undefined) return undefined
  const [port, adminPort] = [await freePort(), await freePort()]
  const apps = { appPort: portOf(application), providerPort: portOf(check) }
  const listener = { port, config: gatewayConfig(issuer, policies), severalProviders: false }
  const file = join(workDirectory('bench-envoy'), 'envoy.json')
  writeFileSync(file, JSON.stringify(envoyBootstrap([listener], apps, adminPort)))
  const options = ['--concurrency', '1', '--log-level', 'error', '--disable-hot-restart']
  const origin = `http://127.0.0.1:${port}`
  const running = await startProcess([path, '-c', file, ...options], { cpu: serverCpu, readyUrl: `${origin}/ping` })
  return { ...running, origin }
}

function portOf(origin: string): number {
  return Number(new URL(origin).port)
}

function gatewayConfig({ issuer, keySet }: TokenIssuer, policies: number): GatewayConfig {
  const problems = new Problems()
  const made = notebookPolicies(policies).map((value) => ({ value, source: namedSource('policies.yaml') }))
  const documents = [
    ...stockPolicies(exemptPaths),
    ...stockMeshConfig(),
    ...stockRequestAuthentication(issuer, []).map((document) => withKeys(document, keySet)),
    ...made,
  ]
  const config = parseGatewayConfig(documents, problems, { mode: 'istio' })
  problems.throwIfAny()
  return config
}

/** The same RequestAuthentication with its keys in it, since there is nowhere to fetch them from. */
function withKeys({ value, source }: SourceDocument, keySet: unknown): SourceDocument {
  const resource = structuredClone(value) as { spec: { jwtRules: Record<string, unknown>[] } } // the stock's own shape
  for (const rule of resource.spec.jwtRules) rule['jwks'] = JSON.stringify(keySet)
  return { value: resource, source }
}
