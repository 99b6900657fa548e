import { compileRoutes, type Route } from '../../../gateway/routes.ts'
import type { HttpRoute, VirtualService } from '../../../gateway/virtual-service.ts'
import type { RequestFacts } from '../../../policy/facts.ts'
import type { Detail, Layer } from '../explanation.ts'
import type { Situation, Walk } from '../situation.ts'

const mostPassedOver = 5

/** The route chosen, and those passed over that match too or nearly do. */
export function explainRoute(situation: Situation, walk: Walk): Layer {
  const { facts, route } = walk
  if (!facts) return { name: 'route', outcome: 'skipped', summary: 'never looked for', details: [] }
  const passedOver = candidates(situation.gateway.virtualServices)
    .filter(({ http, at }) => !isSame(route, { http, at }))
    .flatMap((one) => nearness(situation, { facts, ...one }))
    .slice(0, mostPassedOver)
  if (!route) {
    return { name: 'route', outcome: 'passed', summary: 'no VirtualService has a route for it', details: passedOver }
  }
  const place = route.match?.place ?? route.route.place
  const chosen: Detail = { mark: 'match', text: `${matchText(route)} → ${actionText(route.route)}`, place }
  return {
    name: 'route',
    outcome: 'passed',
    summary: `VirtualService \`${route.service.namespace}/${route.service.name}\``,
    details: [chosen, ...passedOver],
  }
}

/** One way of one route: `at` is the index of its match, -1 where it has none. */
interface Candidate {
  readonly service: VirtualService
  readonly http: HttpRoute
  readonly at: number
}

function candidates(services: readonly VirtualService[]): Candidate[] {
  return services.flatMap((service) =>
    service.http.flatMap((http) =>
      http.matches.length === 0 ? [{ service, http, at: -1 }] : http.matches.map((_, at) => ({ service, http, at })),
    ),
  )
}

function isSame(route: Route | undefined, { http, at }: Pick<Candidate, 'http' | 'at'>): boolean {
  return route?.route === http && route.match === http.matches[at]
}

/** Requests that differ in one thing, to ask the router itself whether that thing was in the way. */
const nearly: readonly { readonly text: string; readonly alter: (facts: RequestFacts) => Partial<RequestFacts> }[] = [
  { text: 'would match with a `/` at the end', alter: ({ path }) => ({ path: `${path}/` }) },
  { text: 'would match in lower case', alter: ({ path }) => ({ path: path.toLowerCase() }) },
  { text: 'would match a GET', alter: () => ({ method: 'GET' }) },
  { text: 'would match a POST', alter: () => ({ method: 'POST' }) },
]

/** Why a route was passed over, where that is worth telling: a table of it alone is asked. */
function nearness(
  { gateway }: Situation,
  { facts, service, http, at }: Candidate & { facts: NonNullable<Walk['facts']> },
): Detail[] {
  const match = http.matches[at]
  const alone = { ...service, http: [{ ...http, matches: match ? [match] : [] }] }
  const mode = facts.state.isNative ? 'native' : 'istio'
  const find = (changed: Partial<RequestFacts>, hosts = service.hosts) => {
    const table = compileRoutes({ ...gateway, virtualServices: [{ ...alone, hosts }] }, mode)
    return table.find(withFacts(facts, changed), facts.scheme) !== undefined
  }
  const place = match?.place ?? http.place
  const name = `\`${service.namespace}/${service.name}\` ${matchText({ service, route: http, match })}`
  const tell = (why: string): Detail[] => [{ mark: 'miss', text: `${name} ${why}`, place }]
  const isForPath = match?.uri !== undefined && match.uri.text.length > 1
  // that a catch-all would match goes without saying
  if (find({})) return isForPath ? tell('matches too, but comes later') : []
  const near = nearly.find(({ alter }) => find(alter(facts)))
  if (near) return tell(near.text)
  return isForPath && find({}, ['*']) ? tell(`is for another host (${service.hosts.join(', ')}) or Gateway`) : []
}

/** The same facts but for some. */
export function withFacts(facts: RequestFacts, changed: Partial<RequestFacts>): RequestFacts {
  const { method, path, query, host, peerAddress, clientAddress, localAddress, localPort, serverName, claims } = facts
  return {
    ...{ method, path, query, host, peerAddress, clientAddress, localAddress, localPort, serverName, claims },
    header: (name) => facts.header(name),
    headerLines: (name) => facts.headerLines?.(name) ?? [facts.header(name) ?? []].flat(),
    ...changed,
  }
}

function matchText({ match }: Route): string {
  if (!match) return 'every path'
  const { uri, method, headers, withoutHeaders, queryParams } = match
  const parts = [
    uri ? `${uri.kind} \`${uri.text}\`` : 'every path',
    ...(method ? [`method \`${method.text}\``] : []),
    ...headers.map(({ name }) => `header \`${name}\``),
    ...withoutHeaders.map(({ name }) => `without header \`${name}\``),
    ...queryParams.map(({ name }) => `parameter \`${name}\``),
  ]
  return parts.join(', ')
}

function actionText({ action }: HttpRoute): string {
  if (action.kind === 'redirect') return `redirect ${action.redirect.status}`
  if (action.kind === 'answer') return `answers ${action.status} itself`
  return action.destinations.map(({ host, port }) => (port === undefined ? host : `${host}:${port}`)).join(', ')
}
