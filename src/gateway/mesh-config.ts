import { parseGoDuration } from '../kit/duration.ts'
import type { Place, Reader } from '../policy/reader.ts'
import type { PathNormalisation } from './normalise-path.ts'

/** An ext_authz server (MeshConfig `extensionProviders[].envoyExtAuthzHttp` or `…Grpc`). Header names are patterns. */
export interface ExtensionProvider {
  readonly name: string
  readonly protocol: 'http' | 'grpc'
  readonly place: Place | undefined
  /** `[namespace/]host` as written. */
  readonly service: string
  readonly port: number
  readonly timeoutMilliseconds: number
  readonly pathPrefix: string
  /** Whether a request passes when the provider fails. */
  readonly failOpen: boolean
  readonly statusOnError: number
  /** `undefined`: it is not told the body. */
  readonly includeRequestBodyInCheck: BodyCheck | undefined
  readonly includeRequestHeadersInCheck: readonly string[]
  readonly includeAdditionalHeadersInCheck: Readonly<Record<string, string>>
  readonly headersToUpstreamOnAllow: readonly string[]
  readonly headersToDownstreamOnAllow: readonly string[]
  /** Empty relays every header of the answer. */
  readonly headersToDownstreamOnDeny: readonly string[]
}

/** How much of a body a provider is told. */
export interface BodyCheck {
  readonly maxBytes: number
  /** Whether it is asked about the beginning of a longer one; else that is refused as too large. */
  readonly allowsPartial: boolean
  /** gRPC: as `raw_body`, since it may be no UTF-8. */
  readonly packsAsBytes: boolean
}

/** What the gateway honours of Istio's MeshConfig. */
export interface MeshConfig {
  readonly rootNamespace: string
  readonly pathNormalisation: PathNormalisation
  /** Proxies in front whose `X-Forwarded-For` entries are believed. */
  readonly numTrustedProxies: number
  readonly extensionProviders: readonly ExtensionProvider[]
}

/** What holds where no MeshConfig is given, as in Istio. */
export const defaultMeshConfig: MeshConfig = {
  rootNamespace: 'istio-system',
  pathNormalisation: 'BASE',
  numTrustedProxies: 0,
  extensionProviders: [],
}

const normalisations: Readonly<Record<string, PathNormalisation>> = {
  DEFAULT: 'BASE',
  NONE: 'NONE',
  BASE: 'BASE',
  MERGE_SLASHES: 'MERGE_SLASHES',
  DECODE_AND_MERGE_SLASHES: 'DECODE_AND_MERGE_SLASHES',
}

const honoured = ['rootNamespace', 'pathNormalization', 'extensionProviders', 'defaultConfig']
const providerFields = [
  'service',
  'port',
  'timeout',
  'pathPrefix',
  'failOpen',
  'statusOnError',
  'includeRequestHeadersInCheck',
  'includeHeadersInCheck',
  'includeAdditionalHeadersInCheck',
  'headersToUpstreamOnAllow',
  'headersToDownstreamOnAllow',
  'headersToDownstreamOnDeny',
  'includeRequestBodyInCheck',
  'clearRouteCache',
]
const grpcFields = [
  'service',
  'port',
  'timeout',
  'failOpen',
  'statusOnError',
  'includeRequestBodyInCheck',
  'clearRouteCache',
]
/** Envoy's default for an ext_authz call made by Istio. */
const defaultTimeoutMilliseconds = 600_000
/** Of 200 and above, those with which istiod does not take a provider for a bad one (Envoy type/v3/http_status.proto). */
const statuses = new Set([
  ...[200, 201, 202, 203, 204, 205, 206, 207, 208, 226, 300, 301, 302, 303, 304, 305, 307, 308],
  ...[
    400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 421, 422, 423, 424, 426,
  ],
  ...[428, 429, 431, 500, 501, 502, 503, 504, 505, 506, 507, 508, 510, 511],
])

/** Reads a MeshConfig on top of `base`; what the gateway does not honour is a warning. */
export function parseMeshConfig(mesh: Reader, base: MeshConfig): MeshConfig {
  for (const name of mesh.names()) {
    if (!honoured.includes(name)) mesh.field(name).warn(`\`${name}\` has no effect on this gateway`)
  }
  const trusted = mesh.field('defaultConfig').field('gatewayTopology').field('numTrustedProxies')
  const numTrustedProxies = trusted.integer() ?? base.numTrustedProxies
  if (numTrustedProxies < 0) trusted.error('must not be negative')
  return {
    rootNamespace: mesh.field('rootNamespace').text() ?? base.rootNamespace,
    pathNormalisation: parseNormalisation(mesh.field('pathNormalization').field('normalization'), base),
    numTrustedProxies,
    extensionProviders: [
      ...base.extensionProviders,
      ...mesh.field('extensionProviders').items().flatMap(parseProvider),
    ],
  }
}

function parseNormalisation(reader: Reader, base: MeshConfig): PathNormalisation {
  const text = reader.text()
  if (text === undefined) return base.pathNormalisation
  const known = Object.hasOwn(normalisations, text) ? normalisations[text] : undefined
  if (!known) reader.error(`unknown normalisation \`${text}\``, `known: ${Object.keys(normalisations).join(', ')}`)
  return known ?? base.pathNormalisation
}

function parseProvider(reader: Reader): ExtensionProvider[] {
  const name = reader.field('name').text() ?? ''
  if (name === '') reader.error('a provider needs a name')
  const http = reader.field('envoyExtAuthzHttp')
  const grpc = reader.field('envoyExtAuthzGrpc')
  if (grpc.isPresent) {
    grpc.refuseUnknown(grpcFields)
    warnIgnored(grpc.field('clearRouteCache'))
    return [{ name, place: reader.place, protocol: 'grpc', ...parseConnection(grpc), ...parseHeaderLists(grpc) }]
  }
  if (!http.isPresent) {
    const kind = reader.names().find((field) => field !== 'name') ?? 'nothing'
    reader.warn(
      `provider \`${name}\` is \`${kind}\`, which this gateway cannot ask`,
      'use `envoyExtAuthzHttp` or `envoyExtAuthzGrpc`',
    )
    return []
  }
  http.refuseUnknown(providerFields)
  warnIgnored(http.field('clearRouteCache'))
  return [{ name, place: reader.place, protocol: 'http', ...parseConnection(http), ...parseHeaderLists(http) }]
}

function warnIgnored(reader: Reader): void {
  if (reader.isPresent) reader.warn('has no effect, as in Istio')
}

function parseConnection(http: Reader) {
  const service = http.field('service').text() ?? ''
  const port = http.field('port').integer() ?? 0
  if (service === '') http.error('a provider needs its `service`')
  if (port < 1 || port > 65535) http.error('a provider needs its `port`')
  const timeout = http.field('timeout').text()
  const timeoutMilliseconds = timeout === undefined ? defaultTimeoutMilliseconds : (parseGoDuration(timeout) ?? 0)
  if (timeoutMilliseconds <= 0) http.field('timeout').error(`\`${timeout}\` is no duration`, 'write for example `5s`')
  const status = http.field('statusOnError').isPresent ? Number(http.field('statusOnError').value) : 403
  if (!statuses.has(status)) http.field('statusOnError').error(`\`${status}\` is no status Envoy answers with`)
  const pathPrefix = http.field('pathPrefix').text() ?? ''
  if (pathPrefix !== '' && !pathPrefix.startsWith('/')) http.field('pathPrefix').error('must start with `/`')
  return {
    service,
    port,
    timeoutMilliseconds,
    pathPrefix,
    failOpen: http.field('failOpen').flag() ?? false,
    statusOnError: status,
    includeRequestBodyInCheck: parseBodyCheck(http.field('includeRequestBodyInCheck')),
  }
}

function parseBodyCheck(reader: Reader): BodyCheck | undefined {
  if (!reader.isPresent) return undefined
  reader.refuseUnknown(['maxRequestBytes', 'allowPartialMessage', 'packAsBytes'])
  const maxBytes = reader.field('maxRequestBytes').integer() ?? 0
  if (maxBytes < 1) reader.error('needs `maxRequestBytes`, at least 1')
  return {
    maxBytes,
    allowsPartial: reader.field('allowPartialMessage').flag() ?? false,
    packsAsBytes: reader.field('packAsBytes').flag() ?? false,
  }
}

function parseHeaderLists(http: Reader) {
  const patterns = (field: string) => {
    const list = http.field(field)
    for (const item of list.items()) {
      if (item.value === '*') item.error('`*` alone is not allowed', 'name the headers, or use `x-*`')
    }
    return list.texts()
  }
  const additional = http.field('includeAdditionalHeadersInCheck')
  return {
    includeRequestHeadersInCheck: [...patterns('includeRequestHeadersInCheck'), ...patterns('includeHeadersInCheck')],
    includeAdditionalHeadersInCheck: Object.fromEntries(
      additional.names().map((name) => [name.toLowerCase(), additional.field(name).text() ?? '']),
    ),
    headersToUpstreamOnAllow: patterns('headersToUpstreamOnAllow'),
    headersToDownstreamOnAllow: patterns('headersToDownstreamOnAllow'),
    headersToDownstreamOnDeny: patterns('headersToDownstreamOnDeny'),
  }
}
