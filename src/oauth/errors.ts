/**
 * Room `oauth`: the vocabulary of OAuth 2 and OpenID Connect (errors, PKCE, scopes, redirect URIs, client
 * authentication) and the relying-party side. It knows the protocols, no identity provider of its own.
 */
import { GatehouseError } from '../kit/errors.ts'

/**
 * A protocol error (RFC 6749 §4.1.2.1 and §5.2). `message` is the `error_description` the client sees; `detail` is for
 * the log.
 */
export class OAuthError extends GatehouseError {
  /** HTTP status where the error is answered directly rather than by redirect. */
  readonly status: number

  constructor(
    code: string,
    description: string,
    { status = 400, ...detail }: { status?: number; detail?: string; cause?: unknown } = {},
  ) {
    super(code, description, detail)
    this.name = 'OAuthError'
    this.status = status
  }
}

/** The JSON answer of an endpoint (RFC 6749 §5.2), never cached. An empty description is left out. */
export function oauthErrorResponse(error: OAuthError, headers: Readonly<Record<string, string>> = {}): Response {
  const body = { error: error.code, ...(error.message === '' ? {} : { error_description: error.message }) }
  const response = Response.json(body, { status: error.status, headers })
  response.headers.set('cache-control', 'no-store')
  response.headers.set('pragma', 'no-cache')
  return response
}
