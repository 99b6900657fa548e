import type { RE2JS } from 're2js'
import type { Place } from '../policy/reader.ts'
import type { Resource } from '../policy/resource.ts'
import type { HeaderChange } from './ask.ts'
import type { CorsPolicy } from './cors.ts'
import type { Fault } from './fault.ts'
import type { RetryPolicy } from './retries.ts'
import type { TextMatch } from './text-matcher.ts'

/** The HTTP side of an Istio VirtualService. */
export interface VirtualService extends Resource {
  readonly hosts: readonly string[]
  /** `namespace/name` of the Gateways it is bound to, or `mesh`; empty means `mesh`. */
  readonly gateways: readonly string[]
  readonly http: readonly HttpRoute[]
  /** Entries of `http` whose routes stand in another VirtualService; none are left once they are followed. */
  readonly delegations: readonly Delegation[]
}

/** An entry of `http` with `delegate`. */
export interface Delegation {
  /** How many entries of `http` stand before it. */
  readonly at: number
  readonly place: Place
  /** `namespace/name` */
  readonly service: string
  readonly matches: readonly RouteMatch[]
  readonly rewrite: Rewrite | undefined
  /** What holds where the delegate's route says nothing. */
  readonly defaults: RouteOptions
}

/** One entry of `http`: conditions, of which any may hold (none: always), and what to do then. */
export interface HttpRoute extends RouteOptions {
  readonly place: Place
  readonly name: string | undefined
  readonly matches: readonly RouteMatch[]
  readonly action: RouteAction
}

/** What a route does beside its action. */
export interface RouteOptions {
  readonly requestHeaders: HeaderOperations
  readonly responseHeaders: HeaderOperations
  /** For the whole answer; `undefined` and 0 wait forever. */
  readonly timeoutMilliseconds: number | undefined
  readonly retries: RetryPolicy
  readonly cors: CorsPolicy | undefined
  readonly fault: Fault | undefined
  readonly mirrors: readonly Mirror[]
}

/** Where a copy of some requests goes; nobody waits for its answer. */
export interface Mirror {
  readonly destination: Pick<Destination, 'host' | 'port' | 'namespace'>
  readonly percentage: number
}

/** Conditions that must all hold. */
export interface RouteMatch {
  readonly place: Place
  readonly uri: TextMatch | undefined
  readonly ignoreUriCase: boolean
  readonly method: TextMatch | undefined
  readonly authority: TextMatch | undefined
  readonly scheme: TextMatch | undefined
  readonly port: number | undefined
  readonly headers: readonly NamedMatch[]
  readonly withoutHeaders: readonly NamedMatch[]
  readonly queryParams: readonly NamedMatch[]
  /** `@request.auth.claims…`, of the verified token. */
  readonly claims: readonly ClaimMatch[]
  readonly withoutClaims: readonly ClaimMatch[]
  readonly gateways: readonly string[]
}

/** A claim by the names that lead to it; a `match` of `undefined` asks only that it is there. */
export interface ClaimMatch {
  readonly path: readonly string[]
  readonly match: TextMatch | undefined
}

/** A header or query parameter; a `match` of `undefined` asks only that it is there. */
export interface NamedMatch {
  readonly name: string
  readonly match: TextMatch | undefined
}

/** What becomes of a request: it goes to an app, elsewhere, or is answered here. */
export type RouteAction =
  | { readonly kind: 'forward'; readonly destinations: readonly Destination[]; readonly rewrite: Rewrite | undefined }
  | { readonly kind: 'redirect'; readonly redirect: Redirect }
  | { readonly kind: 'answer'; readonly status: number; readonly body: string }

/** An app requests are sent to, and its share of them. */
export interface Destination {
  /** As written: a Service name, short or qualified, or any host. */
  readonly host: string
  readonly port: number | undefined
  /** The namespace a short name is looked up in. */
  readonly namespace: string
  readonly weight: number
  readonly requestHeaders: HeaderOperations
  readonly responseHeaders: HeaderOperations
}

/** What the app is asked instead: `uri` takes the place of the matched prefix, or of the whole path. */
export interface Rewrite {
  readonly uri: string | undefined
  readonly authority: string | undefined
  readonly regex: { readonly match: RE2JS; readonly rewrite: string } | undefined
}

/** Where the browser is sent; what is `undefined` stays as in the request. */
export interface Redirect {
  readonly uri: string | undefined
  readonly authority: string | undefined
  readonly scheme: string | undefined
  readonly port: number | undefined
  /** Where `port` is not written: the port the request came in on. */
  readonly keepsPort: boolean
  /** Instead of `uri`: what the matched prefix becomes. */
  readonly prefix: string | undefined
  readonly status: number
}

/** Names in lower case, values not empty; applied in the order remove, set, add. */
export interface HeaderOperations {
  readonly set: readonly (readonly [name: string, value: string])[]
  readonly add: readonly (readonly [name: string, value: string])[]
  readonly remove: readonly string[]
  /** The host the app is called by, where the route's `rewrite` names none. */
  readonly authority?: string | undefined
  /** After the others; providers ask for them. */
  readonly changes?: readonly HeaderChange[]
}

/** Leaves headers as they are. */
export const noHeaderOperations: HeaderOperations = { set: [], add: [], remove: [] }
