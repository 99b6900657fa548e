import type { SessionNames } from '../oidc/ended-sessions.ts'
import { isInScope } from './access-tokens/path-scope.ts'
import { isBackgroundRequest, wantsJson } from './request-kind.ts'
import type { Session } from './session.ts'

/** A request to be judged, at its original path: what an `ext_authz` client or a listener knows of it. */
export interface CheckRequest {
  readonly method: string
  /** The path as it will be forwarded, with its query. */
  readonly path: string
  readonly host: string
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string | undefined>>
  /** The address of the peer, as far as it can be believed. */
  readonly clientAddress: string
  readonly requestId: string
}

/** The answer: 200 lets the request pass with these headers, anything else goes to the client as it is. */
export interface CheckAnswer {
  readonly status: number
  /** Name, value, name, value, …; names in lower case. */
  readonly headers: readonly string[]
  readonly body: string
  /** On answers of the proxy's own endpoints: a page of theirs is no leave to pass, not even with status 200. */
  readonly verdict?: 'deny'
  /** Whose request it was, for a gateway in this process that closes what a session leaves open; never sent anywhere. */
  readonly session?: SessionNames
  /** Who that is, for the log; where it is allowed to pass, `gap-auth` says so. */
  readonly user?: string
  /** On answers that let a request pass, where this program forwards it itself; never sent anywhere. */
  readonly forwarding?: Forwarding
}

/** What a request that may pass takes along, where this program forwards it itself. */
export interface Forwarding {
  /** `injectRequestHeaders`: name, value, …; names in lower case. */
  readonly toUpstream: readonly string[]
  /** For the answer to the browser: `injectResponseHeaders`, and the cookies of a session that was refreshed. */
  readonly toClient: readonly string[]
}

/** What was found out about the sender before deciding. */
export type SessionLookup =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'session'
      readonly session: Session
      /** What it is called where it is ended; absent for one that lasts as long as the request. */
      readonly names?: SessionNames
      /** What it is answered at `/oauth2/auth`, where that was made to be remembered. */
      readonly authAnswer?: CheckAnswer
      /** `Set-Cookie` values of a session whose browser does not know yet that it was refreshed. */
      readonly setCookies?: readonly string[]
    }
  /** A bearer token that is not believed, and `bearer_token_login_fallback` is off. */
  | { readonly kind: 'bad-bearer' }
  /** A personal access token that was revoked, has ended, or never was. */
  | { readonly kind: 'dead-token' }
  /** A session that cannot be judged now: its store or its provider does not answer. */
  | { readonly kind: 'unavailable' }

/** The configuration as questions. */
export interface CheckRules {
  /** Exempt from sign-in: `skip_auth_routes`, `skip_auth_regex`, `skip_auth_preflight`. */
  isSkipped(method: string, path: string): boolean
  /** Exempt by its address: `trusted_ips`. */
  isTrustedClient(request: CheckRequest): boolean
  isApiRoute(uri: string): boolean
  /** What was asked for: as a trusted proxy tells it, else as it came. */
  askedUri(request: CheckRequest): string
  /** `email_domains`, `allowed_groups`, `allowed_roles`. */
  mayEnter(session: Session): boolean
  /** Why `mayEnter` says no. */
  whyNot(session: Session): 'email' | 'group' | undefined
  /** `allowed_groups`, `allowed_emails` and `allowed_email_domains` of the request's own query. */
  meetsQuery(session: Session, uri: string): boolean
  readonly forceJsonErrors: boolean
  /** Whether background requests are told from navigation by more than `Accept`. */
  readonly knowsBackground: boolean
  /** Whether it is done as oauth2-proxy does it where ours is better (`compat`). */
  readonly isLiteral: boolean
  readonly skipProviderButton: boolean
}

/** What is to be answered. */
export type Decision =
  | { readonly kind: 'allow'; readonly session: Session | undefined }
  /** `json`: 401 `{}`, `hint`: 401 with a login URL, `redirect`: 302 to the provider, `page`: 403 with the sign-in page. */
  | { readonly kind: 'login'; readonly how: 'json' | 'hint' | 'redirect' | 'page'; readonly error?: 'invalid_token' }
  /** Signed in, but not one of those who may enter. */
  | { readonly kind: 'denied'; readonly how: 'json' | 'page'; readonly session: Session }
  | { readonly kind: 'forbidden' }
  /** A personal access token that is not for this path. */
  | { readonly kind: 'out-of-scope' }
  | { readonly kind: 'unavailable' }

/**
 * Decides about a request at its original path (oauth2-proxy oauthproxy.go `Proxy`). Pure: everything it needs is given.
 */
export function decide(request: CheckRequest, lookup: SessionLookup, rules: CheckRules): Decision {
  if (lookup.kind === 'bad-bearer') return { kind: 'forbidden' }
  const session = lookup.kind === 'session' ? lookup.session : undefined
  const mayEnter = session !== undefined && rules.mayEnter(session)
  const isOutOfScope = session?.scope !== undefined && !isInScope(session.scope, request.path)
  if (rules.isSkipped(request.method, request.path) || rules.isTrustedClient(request)) {
    const known = (mayEnter || rules.isLiteral) && !isOutOfScope ? session : undefined
    if (known && rules.isLiteral && !rules.meetsQuery(known, request.path)) return { kind: 'forbidden' }
    return { kind: 'allow', session: known }
  }
  if (lookup.kind === 'unavailable') return { kind: 'unavailable' }
  if (lookup.kind === 'dead-token') return { kind: 'login', how: 'json', error: 'invalid_token' }
  if (isOutOfScope) return { kind: 'out-of-scope' }
  if (mayEnter) return rules.meetsQuery(session, request.path) ? { kind: 'allow', session } : { kind: 'forbidden' }
  const how = loginStyle(request, rules)
  if (!session) return { kind: 'login', how }
  const isJson = rules.isLiteral ? rules.forceJsonErrors : how === 'json' || how === 'hint'
  return { kind: 'denied', how: isJson ? 'json' : 'page', session }
}

function loginStyle(request: CheckRequest, rules: CheckRules): 'json' | 'hint' | 'redirect' | 'page' {
  const { headers } = request
  const isApi = rules.forceJsonErrors || wantsJson(headers['accept']) || rules.isApiRoute(rules.askedUri(request))
  if (isApi) return 'json'
  if (rules.knowsBackground && isBackgroundRequest(headers)) return 'hint'
  return rules.skipProviderButton ? 'redirect' : 'page'
}
