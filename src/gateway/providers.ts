import type { Ask, AskAnswer } from './ask.ts'
import type { HeaderList } from './header-list.ts'
import type { BodyCheck, ExtensionProvider, MeshConfig } from './mesh-config.ts'
import { compileNamePatterns } from './name-patterns.ts'

/** A provider ready to be asked, its header lists compiled. */
export interface Provider {
  readonly name: string
  readonly ask: Ask
  /** Whether it is told both ends of the connection (gRPC). */
  readonly isToldPeer: boolean
  readonly failOpen: boolean
  readonly statusOnError: number
  /** How much of a body it is told; `undefined`: none. */
  readonly body: BodyCheck | undefined
  /** What of a request it is given. */
  givenHeaders(headers: HeaderList): Record<string, string | undefined>
  /** Whether a header of an allowing answer is set on the request. */
  readonly goesUpstream: (name: string) => boolean
  /** Whether a header of an allowing answer is added to the response. */
  readonly goesDownstreamOnAllow: (name: string) => boolean
  /** Whether a header of a refusing answer is relayed. */
  readonly goesDownstreamOnDeny: (name: string) => boolean
}

/**
 * What a browser says of the site that caused a request. A provider in this process is told whatever its list says: it
 * answers for sign-out paths of older dashboards (`/logout`), which no other site may call.
 */
const sourceHeaders = ['sec-fetch-site', 'origin']
/** Without these a page may be framed, sniffed or kept; a provider in this process always has them relayed. */
const pageHeaders = [
  'content-security-policy',
  'x-frame-options',
  'x-content-type-options',
  'referrer-policy',
  'cache-control',
]

/** What a provider in this process gets where no `extensionProviders` entry says: all a browser login needs. */
const inProcessDefaults = {
  failOpen: false,
  statusOnError: 403,
  includeRequestBodyInCheck: undefined,
  includeAdditionalHeadersInCheck: {},
  protocol: 'http' as const,
  includeRequestHeadersInCheck: [
    ...['cookie', 'accept', 'x-requested-with', 'sec-fetch-mode', 'sec-fetch-dest'],
    ...sourceHeaders,
  ],
  headersToUpstreamOnAllow: ['authorization', 'x-auth-request-*'],
  headersToDownstreamOnAllow: ['set-cookie'],
  headersToDownstreamOnDeny: [],
}

/** Headers that never leave an answer: they frame the message, not its meaning (Envoy drops Host and hop-by-hop ones). */
export const framing: ReadonlySet<string> = new Set([
  'host',
  'connection',
  'keep-alive',
  'transfer-encoding',
  'content-length',
  'upgrade',
  'trailer',
])
/** Told even where the list of a provider leaves them out. */
const alwaysOnDeny = new Set(['www-authenticate', 'location'])

/**
 * Compiles the providers of a mesh: those of `asks` answer in this process (a MeshConfig entry of that name still
 * decides their header lists), the others are asked by `openAsk`.
 */
export function compileProviders(
  { extensionProviders }: MeshConfig,
  asks: Readonly<Record<string, Ask>>,
  openAsk: (provider: MeshConfig['extensionProviders'][number]) => Ask,
): ReadonlyMap<string, Provider> {
  const providers = new Map<string, Provider>()
  for (const [name, ask] of Object.entries(asks)) providers.set(name, compileProvider(name, ask, inProcessDefaults))
  for (const provider of extensionProviders) {
    const { name } = provider
    const ask = Object.hasOwn(asks, name) ? asks[name] : undefined
    const compiled = ask
      ? compileProvider(name, ask, listsInProcess(provider))
      : compileProvider(name, openAsk(provider), provider)
    providers.set(name, compiled)
  }
  return providers
}

type Lists = Pick<ExtensionProvider, keyof typeof inProcessDefaults>

function listsInProcess(lists: Lists): Lists {
  const { includeRequestHeadersInCheck: given, headersToDownstreamOnDeny: relayed } = lists
  return {
    ...lists,
    includeRequestHeadersInCheck: [...given, ...sourceHeaders],
    headersToDownstreamOnDeny: relayed.length === 0 ? [] : [...relayed, ...pageHeaders],
  }
}

function compileProvider(name: string, ask: Ask, lists: Lists): Provider {
  const isGiven = compileNamePatterns(lists.includeRequestHeadersInCheck)
  const additional = Object.entries(lists.includeAdditionalHeadersInCheck)
  const onDeny = compileNamePatterns(lists.headersToDownstreamOnDeny)
  const relaysAll = lists.headersToDownstreamOnDeny.length === 0
  const upstream = compileNamePatterns(lists.headersToUpstreamOnAllow)
  const downstream = compileNamePatterns(lists.headersToDownstreamOnAllow)
  return {
    name,
    ask,
    isToldPeer: lists.protocol === 'grpc',
    failOpen: lists.failOpen,
    statusOnError: lists.statusOnError,
    body: lists.includeRequestBodyInCheck,
    givenHeaders(headers) {
      const given: Record<string, string | undefined> = {}
      const { flat } = headers
      for (let at = 0; at < flat.length; at += 2) {
        const header = flat[at] ?? ''
        // over gRPC everything is sent; over HTTP Authorization always sent (Istio's EnvoyExternalAuthorizationHttpProvider reference)
        if (header !== 'authorization' && lists.protocol === 'http' && !isGiven(header)) continue
        given[header] ??= headers.get(header)
      }
      for (const [header, value] of additional) given[header] = value
      return given
    },
    goesUpstream: (header) => upstream(header) && !framing.has(header),
    goesDownstreamOnAllow: (header) => downstream(header) && !framing.has(header),
    goesDownstreamOnDeny: (header) => !framing.has(header) && (relaysAll || onDeny(header) || alwaysOnDeny.has(header)),
  }
}

/** An answer as verdict: what it says itself, or else exactly 200 allows, 5xx is a failure, anything else refuses. */
export function verdictOf({ status, verdict }: AskAnswer): 'allow' | 'deny' | 'error' {
  if (verdict) return verdict
  if (status === 200) return 'allow'
  return status >= 500 ? 'error' : 'deny'
}
