import { parseGoDuration } from '../kit/duration.ts'
import type { Reader } from '../policy/reader.ts'
import { parseResource } from '../policy/resource.ts'
import { parseMatch, qualified } from './parse-route-match.ts'
import { parseRegex } from './text-matcher.ts'
import {
  type Destination,
  type HeaderOperations,
  type HttpRoute,
  noHeaderOperations,
  type Redirect,
  type Rewrite,
  type RouteAction,
  type VirtualService,
} from './virtual-service.ts'

/** Fields Istio knows and this gateway does not act on. */
const ignoredRouteFields = ['retries', 'fault', 'mirror', 'mirrors', 'mirrorPercentage', 'mirror_percent', 'corsPolicy']
const routeFields = [
  'name',
  'match',
  'route',
  'redirect',
  'directResponse',
  'delegate',
  'rewrite',
  'timeout',
  'headers',
  ...ignoredRouteFields,
]
/** Reads a VirtualService. An unknown match condition is an error: ignoring it would widen the route. */
export function parseVirtualService(document: Reader, defaultNamespace: string): VirtualService {
  const resource = parseResource(document, defaultNamespace)
  const spec = document.field('spec')
  spec.refuseUnknown(['hosts', 'gateways', 'http', 'exportTo', 'tcp', 'tls'], 'warning')
  for (const name of ['tcp', 'tls']) if (spec.field(name).isPresent) warnIgnored(spec.field(name))
  const hosts = spec.field('hosts').texts()
  if (hosts.length === 0) spec.error('a VirtualService needs `hosts`')
  return {
    ...resource,
    hosts: hosts.map((host) => host.toLowerCase()),
    gateways: spec
      .field('gateways')
      .texts()
      .map((name) => qualified(name, resource.namespace)),
    http: spec
      .field('http')
      .items()
      .flatMap((route) => parseRoute(route, resource.namespace)),
  }
}

function warnIgnored(reader: Reader): void {
  reader.warn(`\`${reader.path.at(-1)}\` has no effect on this gateway yet`)
}

function parseRoute(route: Reader, namespace: string): HttpRoute[] {
  route.refuseUnknown(routeFields, 'warning')
  for (const name of ignoredRouteFields) if (route.field(name).isPresent) warnIgnored(route.field(name))
  const action = parseAction(route, namespace)
  if (!action) return []
  const timeout = route.field('timeout').text()
  const timeoutMilliseconds = timeout === undefined ? undefined : parseGoDuration(timeout)
  if (timeout !== undefined && timeoutMilliseconds === undefined) {
    route.field('timeout').error(`\`${timeout}\` is no duration`, 'write for example `5s`')
  }
  return [
    {
      place: route.place,
      name: route.field('name').text(),
      matches: route
        .field('match')
        .items()
        .map((match) => parseMatch(match, namespace)),
      action,
      ...parseHeaders(route.field('headers')),
      timeoutMilliseconds: timeoutMilliseconds === 0 ? undefined : timeoutMilliseconds,
    },
  ]
}

function parseAction(route: Reader, namespace: string): RouteAction | undefined {
  if (route.field('redirect').isPresent) return { kind: 'redirect', redirect: parseRedirect(route.field('redirect')) }
  const direct = route.field('directResponse')
  if (direct.isPresent) {
    return {
      kind: 'answer',
      status: direct.field('status').integer() ?? 200,
      body: direct.field('body').field('string').text() ?? '',
    }
  }
  if (route.field('delegate').isPresent) {
    route.field('delegate').warn('delegates are not followed yet, so this route does not exist')
    return undefined
  }
  const destinations = route
    .field('route')
    .items()
    .map((item) => parseDestination(item, namespace))
  if (destinations.length === 0) route.error('needs `route`, `redirect` or `directResponse`')
  return { kind: 'forward', destinations, rewrite: parseRewrite(route.field('rewrite')) }
}

function parseDestination(item: Reader, namespace: string): Destination {
  item.refuseUnknown(['destination', 'weight', 'headers'], 'warning')
  const destination = item.field('destination')
  destination.refuseUnknown(['host', 'port', 'subset'], 'warning')
  if (destination.field('subset').isPresent) warnIgnored(destination.field('subset'))
  const host = destination.field('host').text() ?? ''
  if (host === '') destination.error('a destination needs its `host`')
  return {
    host,
    port: destination.field('port').field('number').integer(),
    namespace,
    weight: item.field('weight').integer() ?? 0,
    ...parseHeaders(item.field('headers')),
  }
}

function parseRewrite(rewrite: Reader): Rewrite | undefined {
  if (!rewrite.isPresent) return undefined
  rewrite.refuseUnknown(['uri', 'authority', 'uriRegexRewrite'])
  const regex = rewrite.field('uriRegexRewrite')
  const match = regex.isPresent ? parseRegex(regex.field('match')) : undefined
  const groups = [...(regex.field('rewrite').text() ?? '').matchAll(/\\(\d)/g)].map(([, digit]) => Number(digit))
  if (match && Math.max(0, ...groups) > match.matcher('').groupCount()) {
    regex.field('rewrite').error('names a group the pattern does not have')
  }
  return {
    uri: rewrite.field('uri').text(),
    authority: rewrite.field('authority').text(),
    regex: match && { match, rewrite: regex.field('rewrite').text() ?? '' },
  }
}

function parseRedirect(redirect: Reader): Redirect {
  redirect.refuseUnknown(['uri', 'authority', 'scheme', 'port', 'derivePort', 'redirectCode'])
  if (redirect.field('derivePort').isPresent) warnIgnored(redirect.field('derivePort'))
  return {
    uri: redirect.field('uri').text(),
    authority: redirect.field('authority').text(),
    scheme: redirect.field('scheme').text(),
    port: redirect.field('port').integer(),
    status: redirect.field('redirectCode').integer() ?? 301,
  }
}

function parseHeaders(headers: Reader) {
  headers.refuseUnknown(['request', 'response'])
  return {
    requestHeaders: parseOperations(headers.field('request')),
    responseHeaders: parseOperations(headers.field('response')),
  }
}

function parseOperations(operations: Reader): HeaderOperations {
  if (!operations.isPresent) return noHeaderOperations
  operations.refuseUnknown(['set', 'add', 'remove'])
  const pairs = (field: string) => {
    const values = operations.field(field)
    return values.names().map((name) => [name.toLowerCase(), values.field(name).text() ?? ''] as const)
  }
  return {
    set: pairs('set'),
    add: pairs('add'),
    remove: operations
      .field('remove')
      .texts()
      .map((name) => name.toLowerCase()),
  }
}
