import type { Exchange } from './exchange.ts'
import type { Answer } from './respond.ts'
import { rewritePath, rooted } from './rewrite.ts'
import type { Route } from './routes.ts'
import type { Redirect, RouteAction } from './virtual-service.ts'

type OwnAction = Exclude<RouteAction, { readonly kind: 'forward' }>

/** What a route without a destination answers: a redirect, or a `directResponse`. */
export function ownAnswer(exchange: Exchange, route: Route, action: OwnAction): Required<Answer> {
  if (action.kind === 'redirect') {
    const { redirect } = action
    const { prefix } = redirect
    const swapped = { uri: prefix, authority: undefined, regex: undefined }
    const uri = prefix === undefined ? redirect.uri : rewritePath(exchange.path, route, swapped)
    return { status: redirect.status, headers: ['location', redirectTarget(exchange, { ...redirect, uri })], body: '' }
  }
  const { status, body } = action
  // Envoy tells where what was "created" is, or to go, which is here
  const hasLocation = status === 201 || (status >= 300 && status < 400)
  const location = hasLocation ? ['location', redirectTarget(exchange, toItself)] : []
  return { status, headers: [...(body === '' ? [] : ['content-type', 'text/plain']), ...location], body }
}

const toItself: Redirect = {
  uri: undefined,
  authority: undefined,
  scheme: undefined,
  port: undefined,
  keepsPort: false,
  prefix: undefined,
  status: 201,
}
const defaultPorts: Readonly<Record<string, number>> = { http: 80, https: 443 }

/**
 * Where a redirect leads: what it does not name stays, the query too unless its `uri` has one. Natively one that stays on
 * this host names only the path: links are never built from `Host`.
 */
function redirectTarget(
  { state, path: ownPath, query, host, scheme, localPort }: Exchange,
  redirect: Redirect,
): string {
  const { uri, authority } = redirect
  const path = uri?.includes('?') ? rooted(uri) : rooted(uri ?? ownPath) + query
  const wanted = redirect.keepsPort ? localPort : redirect.port
  if (state.isNative && authority === undefined && redirect.scheme === undefined && wanted === undefined) {
    return path.replace(/^\/{2,}/, '/') // `//evil.example` would be another host's address
  }
  const newScheme = redirect.scheme ?? scheme
  const port = wanted === defaultPorts[newScheme] ? undefined : wanted
  if (port !== undefined) return `${newScheme}://${(authority ?? host).replace(/:\d*$/, '')}:${port}${path}`
  return `${newScheme}://${authority ?? withoutDefaultPort(host, scheme, newScheme)}${path}`
}

/** The other scheme has another default port, so one that says what is understood goes. */
function withoutDefaultPort(host: string, scheme: string, newScheme: string): string {
  if (newScheme === scheme) return host
  const suffix = `:${defaultPorts[scheme]}`
  return host.endsWith(suffix) ? host.slice(0, -suffix.length) : host
}
