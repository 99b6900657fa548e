import type { Problems } from '../kit/problems.ts'
import { defaultRetries } from './retries.ts'
import type { TextMatch } from './text-matcher.ts'
import {
  type Delegation,
  type HttpRoute,
  type NamedMatch,
  noHeaderOperations,
  type RouteMatch,
  type RouteOptions,
  type VirtualService,
} from './virtual-service.ts'

/**
 * Puts the routes of delegates in the place of the entries that name them (Istio pilot/pkg/model/virtualservice.go): a
 * route is reached where both its own match and the delegating one hold. One level only, as in Istio.
 */
export function followDelegates(services: readonly VirtualService[], problems: Problems): VirtualService[] {
  const byName = new Map(services.map((service) => [`${service.namespace}/${service.name}`, service]))
  const named = new Set(services.flatMap(({ delegations }) => delegations.map(({ service }) => service)))
  for (const { hosts, namespace, name, place } of services) {
    if (hosts.length > 0 || named.has(`${namespace}/${name}`)) continue
    const message = `\`${namespace}/${name}\` has no \`hosts\` and nobody delegates to it, so it routes nothing`
    problems.list.push({ severity: 'warning', ...place, message })
  }
  return services.map((service) => ({ ...service, http: withDelegates(service, byName, problems), delegations: [] }))
}

function withDelegates(
  { http, delegations }: VirtualService,
  byName: ReadonlyMap<string, VirtualService>,
  problems: Problems,
): HttpRoute[] {
  const routes = [...http]
  for (const delegation of delegations.toReversed()) {
    const delegate = byName.get(delegation.service)
    const mistake = mistakeOf(delegate, delegation.service)
    if (mistake !== undefined) {
      const message = `${mistake}, so this route does not exist`
      problems.list.push({ severity: 'warning', ...delegation.place, message })
    }
    const found = mistake === undefined && delegate ? delegate.http.flatMap((route) => merged(delegation, route)) : []
    routes.splice(delegation.at, 0, ...found)
  }
  return routes
}

function mistakeOf(delegate: VirtualService | undefined, name: string): string | undefined {
  if (!delegate) return `there is no VirtualService \`${name}\` to delegate to`
  if (delegate.hosts.length > 0) return `\`${name}\` has \`hosts\` of its own, so nobody can delegate to it`
  return delegate.delegations.length > 0 ? `\`${name}\` delegates itself` : undefined
}

/** A delegate's route under its delegation; none where no request could match both. */
function merged(delegation: Delegation, route: HttpRoute): HttpRoute[] {
  const matches = mergeMatches(delegation.matches, route.matches)
  if (!matches) return []
  const { action } = route
  const rewrite = action.kind === 'forward' ? (action.rewrite ?? delegation.rewrite) : undefined
  const newAction = action.kind === 'forward' ? { ...action, rewrite } : action
  return [{ ...route, matches, action: newAction, ...mergeOptions(delegation.defaults, route) }]
}

function mergeOptions(root: RouteOptions, own: RouteOptions): RouteOptions {
  const hasHeaders = own.requestHeaders !== noHeaderOperations || own.responseHeaders !== noHeaderOperations
  const { requestHeaders, responseHeaders } = hasHeaders ? own : root
  return {
    requestHeaders,
    responseHeaders,
    timeoutMilliseconds: own.timeoutMilliseconds ?? root.timeoutMilliseconds,
    retries: own.retries === defaultRetries ? root.retries : own.retries,
    cors: own.cors ?? root.cors,
    fault: own.fault ?? root.fault,
    mirrors: own.mirrors.length > 0 ? own.mirrors : root.mirrors,
  }
}

/** `undefined` where one of the delegate's matches is no part of any of the root's: its route is dropped whole. */
function mergeMatches(roots: readonly RouteMatch[], own: readonly RouteMatch[]): readonly RouteMatch[] | undefined {
  if (roots.length === 0 || own.length === 0) return roots.length === 0 ? own : roots
  const both = own.map((leaf) => roots.filter((root) => !isConflict(root, leaf)).map((root) => mergeMatch(root, leaf)))
  return both.some((found) => found.length === 0) ? undefined : both.flat()
}

function isConflict(root: RouteMatch, leaf: RouteMatch): boolean {
  if (root.ignoreUriCase !== leaf.ignoreUriCase) return true
  if (root.port !== undefined && leaf.port !== undefined && root.port !== leaf.port) return true
  if (root.gateways.length > 0 && leaf.gateways.some((name) => !root.gateways.includes(name))) return true
  const texts = (['uri', 'scheme', 'method', 'authority'] as const).some((name) => isNarrowed(root[name], leaf[name]))
  const lists = (['headers', 'withoutHeaders', 'queryParams'] as const).some((name) =>
    leaf[name].some((named) => {
      const above = root[name].find((one) => one.name === named.name)
      return above && (!above.match || !named.match || isNarrowed(above.match, named.match))
    }),
  )
  return texts || lists
}

/** Whether the leaf's match is no part of the root's. */
function isNarrowed(root: TextMatch | undefined, leaf: TextMatch | undefined): boolean {
  if (!root || !leaf) return false
  if (root.kind === 'regex' || leaf.kind === 'regex') return true
  if (root.kind === 'exact') return leaf.kind === 'prefix' || leaf.text !== root.text
  return !leaf.text.startsWith(root.text)
}

function mergeMatch(root: RouteMatch, leaf: RouteMatch): RouteMatch {
  return {
    place: leaf.place,
    uri: leaf.uri ?? root.uri,
    ignoreUriCase: leaf.ignoreUriCase,
    method: leaf.method ?? root.method,
    authority: leaf.authority ?? root.authority,
    scheme: leaf.scheme ?? root.scheme,
    port: leaf.port ?? root.port,
    headers: mergeNamed(root.headers, leaf.headers),
    withoutHeaders: mergeNamed(root.withoutHeaders, leaf.withoutHeaders),
    queryParams: mergeNamed(root.queryParams, leaf.queryParams),
    claims: [...root.claims, ...leaf.claims],
    withoutClaims: [...root.withoutClaims, ...leaf.withoutClaims],
    gateways: leaf.gateways.length > 0 ? leaf.gateways : root.gateways,
  }
}

function mergeNamed(root: readonly NamedMatch[], leaf: readonly NamedMatch[]): NamedMatch[] {
  return [...root.filter(({ name }) => !leaf.some((one) => one.name === name)), ...leaf]
}
