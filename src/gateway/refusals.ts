import type { AppliedRule } from '../policy/policy-set.ts'
import type { Exchange } from './exchange.ts'
import { respondForbidden, respondText, respondUnauthorized } from './respond.ts'
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

/** A mistake of ours: a clear answer, never an allow (architecture §6, invariant 9). */
export function crash(exchange: Exchange, cause: unknown): void {
  exchange.context.log.error('request failed', { requestId: exchange.requestId, cause })
  if (exchange.response.headersSent) exchange.response.destroy()
  else respondText(exchange, 500, 'internal error')
}
