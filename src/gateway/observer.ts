import type { IncomingHttpHeaders } from 'node:http'
import type { Trace } from '../policy/decide.ts'
import type { Claims, RequestFacts } from '../policy/facts.ts'
import type { AppliedRule } from '../policy/policy-set.ts'
import type { AskAnswer, AskRequest } from './ask.ts'
import type { Authentication } from './authenticate.ts'
import type { HeaderList } from './header-list.ts'
import type { Route } from './routes.ts'
import type { GatewayState } from './state.ts'
import type { Refusal } from './token-refusals.ts'

/** Told of requests that are refused, and, where it asks for it, how any request is decided. */
export interface Observer {
  /** A place to note how this request is decided; `undefined`, or no method, where nobody wants to know. */
  begin?(request: ObservedRequest): PipelineTrace | undefined
  /** The request is about to be answered with a refusal. Never called for one that passes. */
  refused(request: ObservedRequest, cause: RefusalCause): void
}

/** A request on its way, as far as an observer may look. Its headers change as it goes. */
export interface ObservedRequest extends RequestFacts {
  readonly requestId: string
  /** The request as it came: its `url` is the target as sent, its headers are the client's. */
  readonly request: { readonly url?: string | undefined; readonly headers: IncomingHttpHeaders }
  readonly scheme: string
  readonly headers: HeaderList
  readonly route: Route | undefined
  readonly claims: Claims | undefined
  readonly state: GatewayState
}

/** Why a request was refused. */
export type RefusalCause =
  /** A DENY rule, a CUSTOM rule nobody can be asked about, or, without a rule, no ALLOW rule that matched. */
  | { readonly kind: 'policy'; readonly rule: AppliedRule | undefined }
  /** `isError`: the provider failed, and the answer is the status configured for that. */
  | { readonly kind: 'provider'; readonly provider: string; readonly status: number; readonly isError: boolean }
  | { readonly kind: 'token'; readonly refusal: Refusal }
  /** Allowed, and yet: no app answers, the route answers so itself, a fault, a WebSocket of another site; one line. */
  | { readonly kind: 'gateway'; readonly status: number; readonly reason: string }
  /** A part in this process answered so, by the name it runs under. */
  | { readonly kind: 'part'; readonly part: string; readonly status: number }

/** How one request was decided, noted by the pipeline as it runs; only explain asks for it. */
export interface PipelineTrace {
  /** Every rule judged, in order: CUSTOM, AUDIT, DENY, ALLOW. */
  readonly rules: Trace
  readonly asked: { readonly provider: string; readonly request: AskRequest; answer: AskAnswer | undefined }[]
  authentication: Authentication | undefined
}
