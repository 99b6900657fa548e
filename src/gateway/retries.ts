import { parseGoDuration } from '../kit/duration.ts'
import type { Reader } from '../policy/reader.ts'

/** When a request is tried again. */
export interface RetryPolicy {
  /** Beside the first try. */
  readonly attempts: number
  /** Of one try, milliseconds. */
  readonly perTryTimeout: number | undefined
  /** Envoy's words: `connect-failure`, `5xx`, … */
  readonly conditions: ReadonlySet<string>
  /** Statuses that count beside those the conditions name. */
  readonly statuses: ReadonlySet<number>
}

/** Why a try failed without an answer. */
export type TryFailure = 'connect-failure' | 'reset' | 'timeout'

/** Istio's own where a route says nothing (MeshConfig `defaultHttpRetryPolicy`). */
export const defaultRetries: RetryPolicy = {
  attempts: 2,
  perTryTimeout: undefined,
  conditions: new Set(['connect-failure', 'refused-stream', 'unavailable', 'cancelled', 'retriable-status-codes']),
  statuses: new Set(),
}

const known = new Set([
  ...['5xx', 'gateway-error', 'reset', 'reset-before-request', 'connect-failure', 'refused-stream', 'retriable-4xx'],
  ...['retriable-status-codes', 'cancelled', 'deadline-exceeded', 'internal', 'resource-exhausted', 'unavailable'],
])
const grpcStatuses: Readonly<Record<string, string>> = {
  '1': 'cancelled',
  '4': 'deadline-exceeded',
  '8': 'resource-exhausted',
  '13': 'internal',
  '14': 'unavailable',
}
const gatewayErrors = new Set([502, 503, 504])
const mostAttempts = 10

/** Reads `retries`; what is not acted on is a warning. */
export function parseRetries(retries: Reader): RetryPolicy {
  if (!retries.isPresent) return defaultRetries
  const fields = [
    'attempts',
    'perTryTimeout',
    'retryOn',
    'retryRemoteLocalities',
    'retryIgnorePreviousHosts',
    'backoff',
  ]
  retries.refuseUnknown(fields, 'warning')
  for (const name of fields.slice(3)) {
    if (retries.field(name).isPresent) retries.field(name).warn(`\`${name}\` has no effect on this gateway`)
  }
  const perTry = retries.field('perTryTimeout').text()
  const perTryTimeout = perTry === undefined ? undefined : parseGoDuration(perTry)
  if (perTry !== undefined && perTryTimeout === undefined) {
    retries.field('perTryTimeout').error(`\`${perTry}\` is no duration`, 'write for example `2s`')
  }
  const attempts = retries.field('attempts').integer() ?? 0
  if (attempts < 0) retries.field('attempts').error('must not be negative')
  if (attempts > mostAttempts) retries.field('attempts').warn(`only ${mostAttempts} are made`)
  return {
    attempts: Math.min(attempts, mostAttempts),
    perTryTimeout: perTryTimeout === 0 ? undefined : perTryTimeout,
    ...parseRetryOn(retries.field('retryOn')),
  }
}

function parseRetryOn(reader: Reader): Pick<RetryPolicy, 'conditions' | 'statuses'> {
  const words = (reader.text() ?? '').split(',').flatMap((word) => word.trim() || [])
  if (words.length === 0) return { conditions: defaultRetries.conditions, statuses: defaultRetries.statuses }
  const statuses = words.filter((word) => /^[1-5]\d\d$/.test(word)).map(Number)
  const conditions = words.filter((word) => !/^\d+$/.test(word))
  for (const word of conditions) if (!known.has(word)) reader.warn(`\`${word}\` has no effect on this gateway`)
  return { conditions: new Set(conditions), statuses: new Set(statuses) }
}

/** Whether a try that ended without an answer is made again. */
export function retriesFailure({ conditions }: RetryPolicy, failure: TryFailure): boolean {
  if (conditions.has('5xx') || (failure === 'timeout' && conditions.has('gateway-error'))) return true
  return conditions.has(failure) || (failure === 'timeout' && conditions.has('reset'))
}

/** Whether an answer counts as a failed try; gRPC tells of it in `grpc-status`. */
export function retriesAnswer({ conditions, statuses }: RetryPolicy, status: number, grpcStatus?: string): boolean {
  if (statuses.has(status) || (status >= 500 && conditions.has('5xx'))) return true
  if (gatewayErrors.has(status) && conditions.has('gateway-error')) return true
  if (status === 409 && conditions.has('retriable-4xx')) return true
  const word = grpcStatus === undefined ? undefined : grpcStatuses[grpcStatus]
  return word !== undefined && conditions.has(word)
}
