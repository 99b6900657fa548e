import { foldHeaderName, identityHeaders } from '../http/identity-headers.ts'
import { HeaderList } from './header-list.ts'

/** What becomes of a request header. */
type Fate = 'keep' | 'hop' | 'identity'

/** The same of one spelling, with its name in lower case. */
interface HeaderFate {
  readonly name: string
  readonly fate: Fate
  readonly isJoined: boolean
}

/** Headers that belong to one connection (RFC 9110 §7.6.1), and those which would steer our own client. */
const hopByHop: readonly string[] = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
  'http2-settings',
]

/** Names a client may never set natively: who the user is, and where the request claims to come from. */
export const identityNames: readonly string[] = [...identityHeaders, 'x-forwarded-client-cert']
export const identityPrefixes: readonly string[] = ['kubeflow-', 'x-auth-request-', 'x-gatehouse-', 'x-envoy-']
/**
 * Clients may send these, or we write them ourselves, but in no other spelling: a server that reads `_` as `-` would take
 * `X_Forwarded_For` for ours. `x-auth-request-redirect` is no identity but a wish: where a sign-in is to lead, as nginx
 * in front tells it; the proxy judges it like `rd`.
 */
export const exactNames: readonly string[] = [
  'x-auth-request-redirect',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-request-id',
  'content-length',
  'content-type',
  'transfer-encoding',
]
/** Natively these are ours to write; a client's would only mislead the app (attacks on forwarded URIs and prefixes). */
export const forwardingNames: readonly string[] = [
  'forwarded',
  'x-forwarded-uri',
  'x-forwarded-method',
  'x-forwarded-prefix',
  'x-forwarded-port',
  'x-forwarded-server',
  'x-original-url',
  'x-original-uri',
  'x-original-method',
  'x-rewrite-url',
  'x-real-ip',
]
/** Envoy drops these from every client at the edge, whatever Istio is told. */
export const edgeNames: readonly string[] = ['x-forwarded-client-cert']
export const edgePrefixes: readonly string[] = ['x-envoy-']

/**
 * Repeated headers Envoy makes one of as they come, empty ones left out; every other stays as it is sent. They are those
 * it keeps in fields of their own (`INLINE_REQ_HEADERS`, `CustomInlineHeaderRegistry`).
 */
export const joinedNames: readonly string[] = [
  'accept',
  'accept-encoding',
  'access-control-request-headers',
  'access-control-request-method',
  'authorization',
  'cache-control',
  'content-encoding',
  'content-type',
  'grpc-accept-encoding',
  'grpc-timeout',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'origin',
  'pragma',
  'referer',
  'user-agent',
  'via',
  'x-client-trace-id',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
]

/** How many different names are remembered, and how long ones; names come from clients, so both are bounded. */
const rememberedNames = 2000
const rememberedLength = 64

/** Reads the headers of requests: lower-cases them, drops hop-by-hop ones and those only the gateway may set. */
export interface HeaderReader {
  /** `undefined` where the request is malformed: not exactly one Host. */
  read(rawHeaders: readonly string[]): HeaderList | undefined
  /** Whether clients may not send a header of this name, in any spelling. */
  isRefused(name: string): boolean
}

/**
 * Compiles what is stripped. Spellings are folded: case, and any mark that is read as `-` somewhere (`_`, `.`). Of
 * `exact` names only the other spellings are stripped. `joined` are made one header where they are repeated.
 */
export function compileHeaderReader(
  names: Iterable<string>,
  prefixes: readonly string[],
  { exact = [], joined = [] }: { readonly exact?: readonly string[]; readonly joined?: readonly string[] } = {},
): HeaderReader {
  const refused = new Set([...names].map(foldHeaderName))
  const exactly = new Set(exact)
  const hops = new Set(hopByHop)
  const joins = new Set(joined)
  const fates = new Map<string, HeaderFate>()

  const isRefused = (name: string): boolean => {
    const folded = foldHeaderName(name)
    if (exactly.has(folded)) return refused.has(folded) || name.toLowerCase() !== folded
    return refused.has(folded) || prefixes.some((prefix) => folded.startsWith(prefix))
  }

  function fateOf(rawName: string): HeaderFate {
    const known = fates.get(rawName)
    if (known) return known
    const name = rawName.toLowerCase()
    const decided = {
      name,
      isJoined: joins.has(name),
      fate: hops.has(name) ? ('hop' as const) : isRefused(name) ? ('identity' as const) : ('keep' as const),
    }
    if (fates.size < rememberedNames && rawName.length <= rememberedLength) fates.set(rawName, decided)
    return decided
  }

  return {
    isRefused,
    read(rawHeaders) {
      const flat: string[] = []
      let isChunked = false
      let connection = ''
      let hostCount = 0
      for (let at = 0; at < rawHeaders.length; at += 2) {
        const { name, fate, isJoined } = fateOf(rawHeaders[at] ?? '')
        if (name === 'host') hostCount += 1
        else if (name === 'connection') connection += `,${rawHeaders[at + 1]}`
        else if (name === 'transfer-encoding') isChunked = true
        if (fate === 'keep' && !(isJoined && joinLine(flat, name, rawHeaders[at + 1] ?? ''))) {
          flat.push(name, rawHeaders[at + 1] ?? '')
        }
      }
      if (hostCount !== 1) return undefined
      const headers = new HeaderList(flat, isChunked)
      removeNominated(headers, connection)
      return headers
    },
  }
}

/** Adds a line to the header of that name, where one came before. */
function joinLine(flat: string[], name: string, value: string): boolean {
  for (let at = 0; at < flat.length; at += 2) {
    if (flat[at] !== name) continue
    if (value !== '') flat[at + 1] = flat[at + 1] === '' ? value : `${flat[at + 1]},${value}`
    return true
  }
  return false
}

/**
 * A client may name further headers of its hop in `Connection` (RFC 9110 §7.6.1). They go before anything is judged, so
 * what is judged is what is forwarded; ours are added later and cannot be named away.
 */
function removeNominated(headers: HeaderList, connection: string): void {
  if (connection === '' || connection === ',keep-alive' || connection === ',close') return
  const nominated = new Set(
    connection
      .toLowerCase()
      .split(',')
      .map((option) => option.trim()),
  )
  for (const kept of ['host', 'content-length']) nominated.delete(kept)
  headers.removeAll(nominated)
}
