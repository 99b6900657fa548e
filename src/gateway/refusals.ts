import type { AppliedRule } from '../policy/policy-set.ts'
import type { Exchange } from './exchange.ts'
import { respondFailure, respondForbidden, respondUnauthorized } from './respond.ts'
import type { Refusal } from './token-refusals.ts'

/** The policies refused. */
export function refuse(exchange: Exchange, rule: AppliedRule | undefined): void {
  const { requestId, method, path, host, context } = exchange
  context.log.info('request refused', { requestId, rule: rule?.id ?? 'none', status: 403, method, path, host })
  context.observer?.refused(exchange, { kind: 'policy', rule })
  respondForbidden(exchange)
}

/** A token was refused. */
export function refuseToken(exchange: Exchange, refusal: Refusal): void {
  exchange.context.log.info('request refused', { requestId: exchange.requestId, ...refusal })
  exchange.context.observer?.refused(exchange, { kind: 'token', refusal })
  respondUnauthorized(exchange, refusal)
}

/** What the gateway itself answers to a request the policies let on. */
export interface OwnRefusal {
  readonly status: number
  /** One line for operators; `text` unless given. */
  readonly reason?: string
  /** What programs read: Envoy's words, where it has some. */
  readonly text: string
  /** Flat. */
  readonly headers?: readonly string[]
}

/** Nobody can or should answer a request that was allowed. */
export function refuseItself(exchange: Exchange, { status, text, reason = text, headers = [] }: OwnRefusal): void {
  noteOwn(exchange, { status, reason })
  respondFailure(exchange, { status, text, headers })
}

/** Tells of an answer of the gateway's own that refuses. */
export function noteOwn(exchange: Exchange, { status, reason }: { status: number; reason: string }): void {
  if (status < 400) return
  const { requestId, context } = exchange
  context.log.info('request refused', { requestId, status, reason })
  context.observer?.refused(exchange, { kind: 'gateway', status, reason })
}

/** A mistake of ours: a clear answer, never an allow (architecture §6, invariant 9). */
export function crash(exchange: Exchange, cause: unknown): void {
  exchange.context.log.error('request failed', { requestId: exchange.requestId, cause })
  if (exchange.response.headersSent) exchange.response.destroy()
  else refuseItself(exchange, { status: 500, text: 'internal error' })
}
