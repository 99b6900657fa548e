import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import type { HeaderList } from '../../../gateway/header-list.ts'
import { compileHeaderReader } from '../../../gateway/incoming.ts'
import { parseCookies, withoutCookies } from '../../../http/cookies.ts'
import { identityHeaders } from '../../../http/identity-headers.ts'
import { accessTokenInAuthorization } from '../../../proxy/access-tokens/token-text.ts'
import type { HeaderOptions } from '../../../proxy/alpha/alpha-options.ts'
import type { ProxyConfig } from '../../../proxy/config.ts'
import { compileTrustedProxies } from '../../../proxy/trusted-proxies.ts'

/** What the headers of a request become before it is forwarded; `undefined` for a request without exactly one Host. */
export type RequestHeaders = (request: IncomingMessage, toUpstream: readonly string[]) => HeaderList | undefined

/** What they are compiled from. */
export interface RequestHeaderOptions {
  readonly config: ProxyConfig
  /** `injectRequestHeaders`. */
  readonly injected: readonly HeaderOptions[]
  readonly isOwnCookie: (name: string) => boolean
}

/** Of these no other spelling is passed on: an app behind CGI or WSGI would take it for the real one. */
const exactNames = [
  'authorization',
  'content-length',
  'host',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
]
/** What a proxy in front says of the request. */
const forwardedNames: ReadonlySet<string> = new Set(['forwarded', 'x-forwarded-host', 'x-forwarded-proto'])

/**
 * Compiles what an upstream is told. Hop-by-hop headers, with those that `Connection` names, go before ours are added,
 * so nobody names ours away; a client's copy of an identity header never passes, in whatever spelling; our own cookies
 * stay here; what was forwarded is told by trusted proxies only. With `compat` it is as in oauth2-proxy
 * (pkg/middleware/headers.go, pkg/upstream/http.go): only what is injected is stripped, the rest passes.
 */
export function compileRequestHeaders({ config, injected, isOwnCookie }: RequestHeaderOptions): RequestHeaders {
  const { compat } = config
  const stripped = injected.filter(
    ({ name, preserveRequestValue }) => !preserveRequestValue || mayNotStay(name, config),
  )
  const names = [...(compat ? [] : identityHeaders), ...stripped.map(({ name }) => name.toLowerCase())]
  const exact = exactNames.filter((name) => !names.includes(name))
  const reader = compileHeaderReader(names, [], { exact: compat ? [] : exact })
  const isTrusted = compileTrustedProxies(config)
  // where somebody in front, whom nobody told us to trust, ends TLS for us
  const isPublicByTls = config.redirect_url.startsWith('https://')

  return (request, toUpstream) => {
    const headers = reader.read(request.rawHeaders)
    if (!headers) return undefined
    const { socket } = request
    if (!compat) {
      hideCredentials(headers, isOwnCookie)
      const isByTls = isPublicByTls || (socket as Partial<TLSSocket>).encrypted === true
      if (!isTrusted(socket.remoteAddress ?? '')) tellForwarded(headers, isByTls ? 'https' : 'http')
    }
    // trailers of an answer are passed on (gRPC asks for them), so an app may send some (Go's ReverseProxy)
    if (/(?:^|,)\s*trailers\s*(?:,|$)/i.test(String(request.headers['te'] ?? ''))) headers.set('te', 'trailers')
    appendAddress(headers, socket.remoteAddress)
    inject(headers, toUpstream)
    return headers
  }
}

/** A client's word in front of ours would be taken for ours. */
function mayNotStay(name: string, { compat }: ProxyConfig): boolean {
  return !compat && identityHeaders.includes(name.toLowerCase())
}

/** What opens the proxy is none of the app's business: our cookies, and access tokens of ours. */
function hideCredentials(headers: HeaderList, isOwnCookie: (name: string) => boolean): void {
  const authorization = headers.get('authorization')
  if (authorization !== undefined && accessTokenInAuthorization(authorization)) headers.remove('authorization')
  const cookies = headers.get('cookie')
  if (cookies === undefined || !parseCookies(cookies).some(([name]) => isOwnCookie(name))) return
  const kept = withoutCookies(cookies, isOwnCookie)
  if (kept === undefined) headers.remove('cookie')
  else headers.set('cookie', kept)
}

function tellForwarded(headers: HeaderList, scheme: 'http' | 'https'): void {
  headers.removeAll(forwardedNames)
  headers.add('x-forwarded-host', headers.get('host') ?? '')
  headers.add('x-forwarded-proto', scheme)
}

function appendAddress(headers: HeaderList, peer: string | undefined): void {
  if (peer === undefined) return // by Unix socket
  const address = peer.startsWith('::ffff:') ? peer.slice(7) : peer
  const before = headers.all('x-forwarded-for')
  headers.set('x-forwarded-for', [...before, address].join(', '))
}

/** Where the client's value may stay it comes first, but for `authorization`, of which there can be only one: ours. */
function inject(headers: HeaderList, toUpstream: readonly string[]): void {
  for (let at = 0; at < toUpstream.length; at += 2) {
    const [name = '', value = ''] = [toUpstream[at], toUpstream[at + 1]]
    const before = name === 'authorization' ? undefined : headers.get(name)
    headers.set(name, before === undefined ? value : `${before},${value}`)
  }
}
