/**
 * Room `kit`: small domain-free pieces every other room may use (errors, time, randomness, logs, caches, problems of a
 * configuration). It knows nothing of HTTP, tokens or sign-in.
 */

/** What a `GatehouseError` carries beside its message. */
export interface ErrorDetail {
  /** For the log only, never for a client. */
  readonly detail?: string
  readonly cause?: unknown
}

/**
 * The base of every error Gatehouse throws: `code` is stable and machine-readable, `message` is for people (lower case,
 * no full stop, no secret), `detail` is for the log only.
 */
export class GatehouseError extends Error {
  readonly code: string
  readonly detail: string | undefined

  constructor(code: string, message: string, { detail, cause }: ErrorDetail = {}) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'GatehouseError'
    this.code = code
    this.detail = detail
  }
}

/** Throws a `GatehouseError`; an expression, so that it can stand behind `??`. */
export function fail(code: string, message: string, detail?: ErrorDetail): never {
  throw new GatehouseError(code, message, detail)
}

/** Ends a `switch` over a union: the compiler names a missing case. */
export function assertNever(value: never): never {
  throw new TypeError(`unexpected value: ${JSON.stringify(value)}`)
}
