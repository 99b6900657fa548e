import { parseGoDuration } from '../kit/duration.ts'
import type { Reader } from '../policy/reader.ts'
import { parseResource } from '../policy/resource.ts'
import { checkHost, checkRoute } from './check-route.ts'
import { parseCorsPolicy } from './cors.ts'
import { parseFault } from './fault.ts'
import { parseHeaders } from './parse-header-operations.ts'
import { parseAction, parseRewrite, parseTarget } from './parse-route-action.ts'
import { checkGatewayName, parseMatch, qualified } from './parse-route-match.ts'
import { parseRetries } from './retries.ts'
import type { Delegation, HttpRoute, Mirror, RouteOptions, VirtualService } from './virtual-service.ts'

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
  'retries',
  'fault',
  'mirror',
  'mirrors',
  'mirrorPercentage',
  'mirror_percent',
  'corsPolicy',
]

/** Reads a VirtualService. An unknown match condition is an error: ignoring it would widen the route. */
export function parseVirtualService(document: Reader, defaultNamespace: string): VirtualService {
  const resource = parseResource(document, defaultNamespace)
  const spec = document.field('spec')
  spec.refuseUnknown(['hosts', 'gateways', 'http', 'exportTo', 'tcp', 'tls'], 'warning')
  for (const name of ['tcp', 'tls']) if (spec.field(name).isPresent) warnIgnored(spec.field(name))
  const entries = spec.field('http').items()
  const http = entries.map((route) => parseRoute(route, resource.namespace))
  checkScope(spec)
  return {
    ...resource,
    hosts: spec
      .field('hosts')
      .texts()
      .map((host) => host.toLowerCase()),
    gateways: spec
      .field('gateways')
      .texts()
      .map((name) => qualified(name, resource.namespace)),
    http: http.flat(),
    delegations: entries.flatMap((route, index) => {
      if (!route.field('delegate').isPresent) return []
      return [{ at: http.slice(0, index).flat().length, ...parseDelegation(route, resource.namespace) }]
    }),
  }
}

function checkScope(spec: Reader): void {
  const [hosts, gateways] = [spec.field('hosts'), spec.field('gateways')]
  for (const host of hosts.texts()) checkHost(host, hosts)
  const names = hosts.texts()
  if (new Set(names).size < names.length) hosts.error('names one host twice')
  for (const name of gateways.texts()) checkGatewayName(name, gateways)
  const isEmpty = !['http', 'tcp', 'tls'].some((name) => spec.field(name).items().length > 0)
  if (isEmpty) spec.error('needs `http`: it routes nothing')
  if (hosts.texts().length === 0 && gateways.isPresent) {
    spec.error('has `gateways` but no `hosts`', 'name its hosts, or leave out `gateways` where others delegate to it')
  }
  if (
    hosts.texts().length === 0 &&
    spec
      .field('http')
      .items()
      .some((route) => route.field('delegate').isPresent)
  ) {
    spec.error('a VirtualService others delegate to cannot delegate itself')
  }
}

function warnIgnored(reader: Reader): void {
  reader.warn(`\`${reader.path.at(-1)}\` has no effect on this gateway`)
}

function parseRoute(route: Reader, namespace: string): HttpRoute[] {
  route.refuseUnknown(routeFields, 'warning')
  checkRoute(route)
  if (route.field('delegate').isPresent) return []
  return [
    {
      place: route.place,
      name: route.field('name').text(),
      matches: parseMatches(route, namespace),
      action: parseAction(route, namespace),
      ...parseOptions(route, namespace),
    },
  ]
}

function parseMatches(route: Reader, namespace: string) {
  return route
    .field('match')
    .items()
    .map((match) => parseMatch(match, namespace))
}

function parseDelegation(route: Reader, namespace: string): Omit<Delegation, 'at'> {
  const delegate = route.field('delegate')
  delegate.refuseUnknown(['name', 'namespace'])
  const name = delegate.field('name').text()
  if (!name) delegate.error('a delegate needs its `name`')
  for (const field of ['route', 'redirect', 'directResponse']) {
    if (route.field(field).isPresent) route.field(field).error('cannot stand beside `delegate`')
  }
  return {
    place: route.place,
    service: `${delegate.field('namespace').text() ?? namespace}/${name}`,
    matches: parseMatches(route, namespace),
    rewrite: parseRewrite(route.field('rewrite')),
    defaults: parseOptions(route, namespace),
  }
}

function parseOptions(route: Reader, namespace: string): RouteOptions {
  const timeout = route.field('timeout').text()
  const timeoutMilliseconds = timeout === undefined ? undefined : parseGoDuration(timeout)
  if (timeoutMilliseconds !== undefined && timeoutMilliseconds < 0) route.field('timeout').error('must not be negative')
  if (timeout !== undefined && timeoutMilliseconds === undefined) {
    route.field('timeout').error(`\`${timeout}\` is no duration`, 'write for example `5s`')
  }
  return {
    ...parseHeaders(route.field('headers')),
    timeoutMilliseconds,
    retries: parseRetries(route.field('retries')),
    cors: parseCorsPolicy(route.field('corsPolicy')),
    fault: parseFault(route.field('fault')),
    mirrors: parseMirrors(route, namespace),
  }
}

function parseMirrors(route: Reader, namespace: string): Mirror[] {
  const mirror = route.field('mirror')
  const whole = route.field('mirrorPercentage').field('value')
  const old = route.field('mirror_percent')
  const single = mirror.isPresent
    ? [{ destination: parseTarget(mirror, namespace), percentage: percentageOf(whole.isPresent ? whole : old) }]
    : []
  const several = route
    .field('mirrors')
    .items()
    .map((item) => ({
      destination: parseTarget(item.field('destination'), namespace),
      percentage: percentageOf(item.field('percentage').field('value')),
    }))
  return [...single, ...several]
}

/** All of them where it does not say. */
function percentageOf(reader: Reader): number {
  const value = reader.isPresent ? Number(reader.value) : 100
  if (!(value >= 0 && value <= 100)) reader.error('must be a percentage from 0 to 100')
  return value
}
