/**
 * Room `insight`, explain: why a request is answered as it is, and the smallest change that would alter it. It decides
 * nothing itself: requests are walked through the gateway's own pipeline, which notes how it decided.
 */
import type { GatewayConfig } from '../../gateway/config.ts'
import type { ObservedRequest, PipelineTrace, RefusalCause } from '../../gateway/observer.ts'
import type { Route } from '../../gateway/routes.ts'
import type { ProxyConfig } from '../../proxy/config.ts'
import type { JsonObject } from '../../tokens/jwt.ts'

/** A request and the configuration it meets: everything a decision depends on, so that changing it asks “what if”. */
export interface Situation {
  readonly gateway: GatewayConfig
  readonly proxy: ProxyConfig | undefined
  readonly request: AskedRequest
}

/** The request explained. */
export interface AskedRequest {
  readonly method: string
  /** As on the request line: path and query. */
  readonly target: string
  readonly host: string
  /** In order; names as written. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** The address the connection comes from. */
  readonly peerAddress: string
  readonly identity: Identity | undefined
}

/** Who sends the request, and with what. */
export type Identity =
  /** A browser with a session at the proxy, whose ID token has these claims. */
  | { readonly kind: 'session'; readonly claims: JsonObject }
  /** A bearer token of these claims, good as far as its signature goes. */
  | { readonly kind: 'claims'; readonly claims: JsonObject }
  /** A bearer token as it stands, whose signature is checked. */
  | { readonly kind: 'token'; readonly token: string }

/** What came of sending the request through the pipeline. */
export interface Walk {
  /** The request as judged last, and what judged it; `undefined` where it was refused as malformed. */
  readonly facts: ObservedRequest | undefined
  /** Names of the request's headers that were removed before anything was judged, as sent. */
  readonly stripped: readonly string[]
  readonly route: Route | undefined
  readonly trace: PipelineTrace
  /** Why policies, provider or token refused it. */
  readonly cause: Exclude<RefusalCause, { kind: 'gateway' | 'part' }> | undefined
  /** Why the gateway itself refused what these let on. */
  readonly ownReason: string | undefined
  /** What reached the app; `undefined` where nothing did. */
  readonly reached: Reached | undefined
  readonly answer: Answer
}

/** The request as the app gets it. */
export interface Reached {
  /** `host:port` of the destination as written. */
  readonly destination: string
  readonly target: string
  /** Lower-case names; repeated ones joined. */
  readonly headers: Readonly<Record<string, string>>
}

/** What the client sees; the app's own answer is not known and stands as 200. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Sends a request through the pipeline without anybody else noticing. */
export type WalkThrough = (situation: Situation) => Promise<Walk>

/** Whether the request got through: to an app, or to what a route answers itself. */
export function isLetThrough({ reached, cause, ownReason, answer, facts, route }: Walk): boolean {
  if (reached) return true
  if (!facts || !route || cause) return false
  return ownReason === undefined && answer.status < 400
}
