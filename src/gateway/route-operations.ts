import type { Exchange } from './exchange.ts'
import { HeaderList } from './header-list.ts'
import { applyOperations, joinOperations } from './header-operations.ts'
import type { Route } from './routes.ts'
import type { Destination } from './virtual-service.ts'

/** The app a request goes to, by weight. */
export function chooseDestination(exchange: Exchange, destinations: readonly Destination[]): Destination | undefined {
  if (destinations.length < 2) return destinations[0]
  const total = destinations.reduce((sum, { weight }) => sum + weight, 0)
  let left = (exchange.context.random.bytes(4).readUInt32BE() / 2 ** 32) * total
  for (const destination of destinations) {
    left -= destination.weight
    if (left < 0) return destination
  }
  return destinations[0]
}

/**
 * What is done to headers, in order. Of one destination and its route istiod makes one list; of several each has its own,
 * which comes before the route's (Envoy `WeightedClusterEntry::finalizeRequestHeaders`).
 */
export function operationsOf({ route }: Route, destination: Destination | undefined) {
  const { requestHeaders, responseHeaders } = route
  if (!destination) return { onRequest: [requestHeaders], onResponse: [responseHeaders] }
  if (route.action.kind === 'forward' && route.action.destinations.length > 1) {
    return {
      onRequest: [destination.requestHeaders, requestHeaders],
      onResponse: [destination.responseHeaders, responseHeaders],
    }
  }
  return {
    onRequest: [joinOperations(requestHeaders, destination.requestHeaders)],
    onResponse: [joinOperations(responseHeaders, destination.responseHeaders)],
  }
}

/**
 * The headers of a refusal. Envoy does to its own answers what the route does to an app's, and tells what CORS does where
 * it had come to that; natively they are ours, since a route is written with its app in mind. Flat.
 */
export function headersOfRefusal(exchange: Exchange, flat: readonly string[]): readonly string[] {
  const { route, state, corsPairs } = exchange
  if (state.isNative || !route) return flat
  const { action } = route.route
  if (action.kind !== 'forward') return flat
  const destination = chooseDestination(exchange, action.destinations)
  const list = new HeaderList([...flat])
  for (const operations of operationsOf(route, destination).onResponse) applyOperations(list, operations, exchange)
  for (let at = 0; at < corsPairs.length; at += 2) list.set(corsPairs[at] ?? '', corsPairs[at + 1] ?? '')
  return list.flat
}
