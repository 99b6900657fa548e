import { generateKeyPairSync } from 'node:crypto'
import {
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestListener,
  type Server,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { parseAllDocuments } from 'yaml'
import type { Ask, AskAnswer, AskRequest } from '../../src/gateway/ask.ts'
import { parseGatewayConfig } from '../../src/gateway/config.ts'
import type { GatewayMode } from '../../src/gateway/gateway-mode.ts'
import { type Gateway, type GatewayOptions, openGateway } from '../../src/gateway/open-gateway.ts'
import { silentLog } from '../../src/kit/log.ts'
import { namedSource, Problems, type SourceDocument } from '../../src/kit/problems.ts'
import { publicJwk } from '../../src/tokens/jwk.ts'
import type { JsonObject } from '../../src/tokens/jwt.ts'
import { signJwt } from '../../src/tokens/sign.ts'
import { type TestClock, testClock } from '../world/clock.ts'
import { seededRandom } from '../world/random.ts'

export const dexIssuer = 'http://dex.example/dex'
export const kubeIssuer = 'https://kubernetes.default.svc.cluster.local'

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const signingKey = { kid: 'k1', alg: 'RS256', privateKey }
const { privateKey: foreignKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })

/** The key set every issuer of the tests publishes. */
export const keySet = { keys: [publicJwk(privateKey, signingKey)] }

/** A token signed with the published key; `isForged` signs with another one of the same `kid`. */
export function mint(claims: JsonObject, { isForged = false } = {}): Promise<string> {
  return signJwt(claims, isForged ? { ...signingKey, privateKey: foreignKey } : signingKey)
}

/** Documents of a YAML stream, without line numbers. */
export function documents(yaml: string): SourceDocument[] {
  return parseAllDocuments(yaml).map((document) => ({ value: document.toJS(), source: namedSource('test.yaml') }))
}

/** What the upstream saw of a request. */
export interface Seen {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly rawHeaders: readonly string[]
  readonly body: string
}

/** An answer as it came over the wire. */
export interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface GatewayWorld {
  readonly clock: TestClock
  readonly gateway: Gateway
  readonly port: number
  readonly upstreamPort: number
  /** Every request that reached the upstream. */
  readonly seen: readonly Seen[]
  /** Every request the provider was asked about. */
  readonly asked: readonly AskRequest[]
  send(method: string, path: string, headers?: HeaderInit, body?: string): Promise<Reply>
  close(): Promise<void>
}

/** Header names as they go over the wire, repeated ones as a list. */
export type HeaderInit = Readonly<Record<string, string | string[]>>

/** A gateway on a real port, in front of an upstream that tells what it saw, with a provider that plays along. */
export async function gatewayWorld({
  yaml,
  mode = 'native',
  ask = () => ({ status: 200, headers: [], body: '' }),
  upstream,
  ...options
}: {
  yaml: string
  mode?: GatewayMode
  ask?: Ask
  /** Answers instead of the recorder. */
  upstream?: RequestListener
} & Partial<Omit<GatewayOptions, 'ask'>>): Promise<GatewayWorld> {
  const clock = testClock()
  const seen: Seen[] = []
  const asked: AskRequest[] = []
  const app = createServer(upstream ?? recorder(seen))
  const upstreamPort = await listen(app)
  const problems = new Problems()
  const config = parseGatewayConfig(documents(yaml), problems, { mode, providers: ['oauth2-proxy'] })
  problems.throwIfAny()
  const gateway = openGateway({
    config,
    mode,
    resolveUpstream: () => ({ kind: 'origin', origin: `http://127.0.0.1:${upstreamPort}` }),
    ask: {
      'oauth2-proxy': (request): AskAnswer | Promise<AskAnswer> => {
        asked.push(request)
        return ask(request)
      },
    },
    fetch: async () => Response.json(keySet),
    clock,
    random: seededRandom(),
    log: silentLog,
    ...options,
  })
  const front = createServer((request, response) => gateway.handle(request, response))
  front.on('upgrade', (request, socket, head) => gateway.upgrade(request, socket, head))
  const port = await listen(front)
  return {
    clock,
    gateway,
    port,
    upstreamPort,
    seen,
    asked,
    send: (method, path, headers = {}, body = undefined) => send({ port, method, path, headers, body }),
    async close() {
      await gateway.close()
      await Promise.all([stop(front), stop(app)])
    },
  }
}

/** One request over a connection of its own, exactly as given. */
function send({
  port,
  method,
  path,
  headers,
  body,
}: {
  port: number
  method: string
  path: string
  headers: HeaderInit
  body: string | undefined
}): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const flat = Object.entries(headers).flatMap(([name, value]) => [value].flat().flatMap((one) => [name, one]))
    const hasHost = flat.some((name, at) => at % 2 === 0 && name.toLowerCase() === 'host')
    const all = [...(hasHost ? [] : ['Host', 'platform.example.com']), ...flat]
    if (body !== undefined) all.push('content-length', String(Buffer.byteLength(body)))
    const request = httpRequest({ port, host: '127.0.0.1', method, path, headers: all, agent: false, setHost: false })
    request.on('error', reject)
    request.on('response', (response) => {
      readBody(response).then((text) => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text })
      }, reject)
    })
    request.end(body)
  })
}

function recorder(seen: Seen[]): RequestListener {
  return (request, response) => {
    const record = (body: string): void => {
      const { method = '', url = '', headers, rawHeaders } = request
      seen.push({ method, url, headers, rawHeaders, body })
      response.end('from the app')
    }
    readBody(request).then(record, () => response.destroy()) // the body broke off
  }
}

export async function readBody(stream: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

export function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}

export function stop(server: Server): Promise<void> {
  server.closeAllConnections()
  return new Promise((resolve) => {
    server.close(() => resolve())
  })
}

/** The pair of policies, the RequestAuthentications and the provider Kubeflow ships (overlay m2m-dex-and-kind). */
export function stockPolicies({ hasKube = true }: { hasKube?: boolean } = {}): string {
  return `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: istio-ingressgateway-oauth2-proxy, namespace: istio-system }
spec:
  action: CUSTOM
  provider: { name: oauth2-proxy }
  selector: { matchLabels: { app: istio-ingressgateway } }
  rules:
    - to:
        - operation: { notPaths: [/dex/*, /dex/**, /oauth2/*] }
      when:
        - key: request.headers[authorization]
          notValues: ["*"]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: istio-ingressgateway-require-jwt, namespace: istio-system }
spec:
  action: DENY
  selector: { matchLabels: { app: istio-ingressgateway } }
  rules:
    - from:
        - source: { notRequestPrincipals: ["*"] }
      to:
        - operation: { notPaths: [/dex/*, /dex/**, /oauth2/*] }
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: dex-jwt, namespace: istio-system }
spec:
  selector: { matchLabels: { app: istio-ingressgateway } }
  jwtRules:
    - issuer: ${dexIssuer}
      jwksUri: http://dex.example/dex/keys
      forwardOriginalToken: true
      fromHeaders: [{ name: Authorization, prefix: "Bearer " }]
      outputClaimToHeaders:
        - { header: kubeflow-userid, claim: email }
        - { header: kubeflow-groups, claim: groups }
${hasKube ? kubeAuthentication : ''}
---
extensionProviders:
  - name: oauth2-proxy
    envoyExtAuthzHttp:
      service: oauth2-proxy.oauth2-proxy.svc.cluster.local
      port: 80
      includeRequestHeadersInCheck: [authorization, cookie]
      headersToUpstreamOnAllow: [authorization, path, x-auth-request-email, x-auth-request-groups, x-auth-request-user]
      headersToDownstreamOnDeny: [content-type, set-cookie]
---
${catchAllRoute}
`
}

const kubeAuthentication = `
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: m2m-token-issuer, namespace: istio-system }
spec:
  selector: { matchLabels: { app: istio-ingressgateway } }
  jwtRules:
    - issuer: ${kubeIssuer}
      jwksUri: http://cluster-jwks-proxy.istio-system.svc.cluster.local/openid/v1/jwks
      forwardOriginalToken: true
      fromHeaders: [{ name: Authorization, prefix: "Bearer " }]
      outputClaimToHeaders:
        - { header: kubeflow-userid, claim: sub }
        - { header: kubeflow-groups, claim: groups }
`

/** One app behind every path. */
export const catchAllRoute = `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: app, namespace: kubeflow }
spec:
  hosts: ["*"]
  gateways: [kubeflow/kubeflow-gateway]
  http:
    - route: [{ destination: { host: app, port: { number: 80 } } }]
`
