import { prefixTree } from '../kit/prefix-tree.ts'
import { claimTexts } from '../policy/claim-texts.ts'
import type { RequestFacts } from '../policy/facts.ts'
import { byAge } from '../policy/resource.ts'
import type { Workload } from '../policy/scope.ts'
import { covers } from './check-route.ts'
import type { GatewayConfig } from './config.ts'
import type { GatewayMode } from './gateway-mode.ts'
import type { Ingress, ServedHost } from './ingress.ts'
import { matchesText } from './text-matcher.ts'
import type { ClaimMatch, HttpRoute, NamedMatch, RouteMatch, VirtualService } from './virtual-service.ts'

/** One way a request may go: a route with the one match that leads to it (Envoy has a route for each match). */
export interface Route {
  readonly service: VirtualService
  readonly route: HttpRoute
  readonly match: RouteMatch | undefined
}

/** Every route of one gateway, by host. */
export interface RouteTable {
  /** The route a request takes; the first that matches on the most specific host. */
  find(facts: RequestFacts, scheme: string): Route | undefined
  /** Whether a route looks at claims, or at headers, which verified claims may have changed. */
  readonly dependsOnToken: boolean
  /** Whether a Gateway sends plain HTTP for this host to HTTPS. */
  redirectsToHttps(host: string): boolean
}

/**
 * Compiles the VirtualServices of a gateway. Hosts: exact before the longest wildcard before `*`. Within a host: by
 * age of the resource, then as written; pure catch-alls last, so that the dashboard's `/` does not shadow `/jupyter/`
 * (Istio pilot/pkg/networking/core/route).
 */
export function compileRoutes({ virtualServices, ingresses, workload }: GatewayConfig, mode: GatewayMode): RouteTable {
  const hosts = new Map<string, Route[]>()
  let dependsOnToken = false
  for (const service of virtualServices.toSorted(byAge)) {
    const bound = boundHosts(service, ingresses, { workload, acceptsUnbound: mode === 'native' })
    const routes = upToCatchAll(service.http.flatMap((route) => splitMatches(service, route)))
    dependsOnToken ||= routes.some(({ match }) => match && readsToken(match))
    // of a service none of whose delegates is there istiod makes no host, so a wider one answers
    if (routes.length === 0) continue
    for (const host of bound) hosts.set(host, [...(hosts.get(host) ?? []), ...routes])
  }
  const indexes = new Map([...hosts].map(([host, routes]) => [host, indexRoutes(catchAllsLast(routes))]))
  const fallback = indexes.get('*')
  const indexOf = (host: string): RouteIndex | undefined =>
    indexes.get(host) ?? underWildcard(indexes, host) ?? fallback
  const httpsHosts = ingresses.filter((one) => selects(one, workload)).flatMap((one) => one.httpsHosts)
  return {
    dependsOnToken,
    redirectsToHttps(host) {
      const name = hostName(host)
      return httpsHosts.some((one) => one === name || covers(one, name))
    },
    find(facts, scheme) {
      const index = indexes.size === 1 && fallback ? fallback : indexOf(hostName(facts.host))
      return index?.find(facts, scheme)
    },
  }
}

/** The routes of the longest `*.suffix` a host is under; looked up label by label, so that their number costs nothing. */
function underWildcard(indexes: ReadonlyMap<string, RouteIndex>, host: string): RouteIndex | undefined {
  for (let dot = host.indexOf('.', 1); dot > 0; dot = host.indexOf('.', dot + 1)) {
    const found = indexes.get(`*${host.slice(dot)}`)
    if (found) return found
  }
  return undefined
}

function readsToken({ headers, withoutHeaders, claims, withoutClaims }: RouteMatch): boolean {
  return headers.length + withoutHeaders.length + claims.length + withoutClaims.length > 0
}

/** The host without its port, in lower case; routing ignores the port. */
function hostName(host: string): string {
  const colon = host.lastIndexOf(':')
  const name = colon > host.lastIndexOf(']') ? host.slice(0, colon) : host
  return name.toLowerCase()
}

/** The hosts a service is reachable under here: its own, where a Gateway it is bound to serves them. */
function boundHosts(
  service: VirtualService,
  ingresses: readonly Ingress[],
  { workload, acceptsUnbound }: { workload: Workload; acceptsUnbound: boolean },
): readonly string[] {
  const names = service.gateways.filter((name) => name !== 'mesh')
  if (names.length === 0) return acceptsUnbound && service.gateways.length === 0 ? service.hosts : []
  const hosts = new Set<string>()
  for (const name of names) {
    const ingress = ingresses.find((one) => `${one.namespace}/${one.name}` === name)
    if (ingress && !selects(ingress, workload)) continue
    // a Gateway that no file describes serves every host, so that routes alone are enough to start with
    const served = ingress?.hosts.filter(({ namespace }) => namespace === '*' || namespace === service.namespace)
    for (const host of served ? intersect(served, service.hosts) : service.hosts) hosts.add(host)
  }
  return [...hosts]
}

function selects(ingress: Ingress, workload: Workload): boolean {
  return Object.entries(ingress.selector).every(([name, value]) => workload.labels[name] === value)
}

/** The narrower of each pair of hosts that overlap: `*` ∩ `a.b` = `a.b`, `*.b` ∩ `a.b` = `a.b`. */
function intersect(served: readonly ServedHost[], wanted: readonly string[]): string[] {
  return wanted.flatMap((host) =>
    served.flatMap(({ host: server }) => {
      if (server === host || covers(server, host)) return [host]
      return covers(host, server) ? [server] : []
    }),
  )
}

function splitMatches(service: VirtualService, route: HttpRoute): Route[] {
  if (route.matches.length === 0) return [{ service, route, match: undefined }]
  return route.matches
    .filter((match) => match.gateways.length === 0 || match.gateways.some((name) => service.gateways.includes(name)))
    .map((match) => ({ service, route, match }))
}

/** Within one VirtualService nothing is reached behind a catch-all, which istiod does not even send. */
function upToCatchAll(routes: readonly Route[]): readonly Route[] {
  const at = routes.findIndex(isCatchAll)
  return at < 0 ? routes : routes.slice(0, at + 1)
}

function catchAllsLast(routes: readonly Route[]): Route[] {
  return [...routes.filter((route) => !isCatchAll(route)), ...routes.filter(isCatchAll)]
}

function isCatchAll({ match }: Route): boolean {
  if (!match) return true
  const { uri, method, authority, scheme, port, queryParams } = match
  const isWide = !uri || (uri.kind === 'prefix' && uri.text === '/') || (uri.kind === 'regex' && uri.text === '.*')
  const conditions = [method, authority, scheme, port].some((one) => one !== undefined)
  return isWide && !conditions && !readsToken(match) && queryParams.length === 0
}

interface RouteIndex {
  find(facts: RequestFacts, scheme: string): Route | undefined
}

/**
 * Routes by what their paths begin with, so that a thousand prefixes cost what ten do. A route that is tied to no
 * beginning (a regular expression, `ignoreUriCase`) is tried for every path; the order stays.
 */
function indexRoutes(routes: readonly Route[]): RouteIndex {
  const tree = prefixTree(routes.map((route, order) => [prefixOf(route), { order, route }] as const))
  return {
    find(facts, scheme) {
      let best: { readonly order: number; readonly route: Route } | undefined
      tree.visit(facts.path, (candidates) => {
        for (const candidate of candidates) {
          if (best && candidate.order >= best.order) return
          if (matchesRoute(candidate.route.match, facts, scheme)) best = candidate
        }
      })
      return best?.route
    },
  }
}

/** What every path of this route begins with. */
function prefixOf({ match }: Route): string {
  const uri = match?.uri
  return !uri || uri.kind === 'regex' || match.ignoreUriCase ? '' : uri.text
}

function matchesRoute(match: RouteMatch | undefined, facts: RequestFacts, scheme: string): boolean {
  if (!match) return true
  if (match.uri && !matchesText(match.uri, facts.path, match.ignoreUriCase)) return false
  if (match.method && !matchesText(match.method, facts.method, false)) return false
  if (match.authority && !matchesText(match.authority, facts.host, false)) return false
  if (match.scheme && !matchesText(match.scheme, scheme, false)) return false
  if (match.port !== undefined && match.port !== facts.localPort) return false
  for (const named of match.headers) if (!matchesNamed(named, headerOf(facts, named.name, scheme))) return false
  for (const named of match.withoutHeaders) if (isExcluded(named, headerOf(facts, named.name, scheme))) return false
  for (const claim of match.claims) if (!matchesClaim(claim, facts)) return false
  for (const claim of match.withoutClaims) if (matchesClaim(claim, facts)) return false
  if (match.queryParams.length === 0) return true
  return match.queryParams.every((named) => matchesNamed(named, queryValue(facts.query, named.name)))
}

/** A header; to Envoy the parts of a request line are some, too. */
function headerOf(facts: RequestFacts, name: string, scheme: string): string | undefined {
  if (!name.startsWith(':')) return facts.header(name)
  const parts: Readonly<Record<string, string>> = {
    ':authority': facts.host,
    ':method': facts.method,
    ':path': facts.path + facts.query,
    ':scheme': scheme,
  }
  return parts[name]
}

/** The first value of a parameter, names and values as they are sent: Envoy does not decode them to route. */
function queryValue(query: string, name: string): string | undefined {
  for (const part of query.slice(1).split('&')) {
    const equals = part.indexOf('=')
    if ((equals < 0 ? part : part.slice(0, equals)) === name) return equals < 0 ? '' : part.slice(equals + 1)
  }
  return undefined
}

function matchesClaim({ path, match }: ClaimMatch, { claims }: RequestFacts): boolean {
  const texts = claimTexts(claims, path)
  if (texts === undefined || !match) return texts !== undefined
  return typeof texts === 'string'
    ? matchesText(match, texts, false)
    : texts.some((text) => matchesText(match, text, false))
}

/** A header that is not there is empty to `withoutHeaders` (Envoy `treat_missing_header_as_empty`). */
function isExcluded(named: NamedMatch, value: string | undefined): boolean {
  return matchesNamed(named, named.match ? (value ?? '') : value)
}

function matchesNamed({ match }: NamedMatch, value: string | undefined): boolean {
  if (value === undefined) return false
  return match === undefined || matchesText(match, value, false)
}
