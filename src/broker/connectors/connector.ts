import type { Fetch } from '../../http/part.ts'
import type { Clock } from '../../kit/clock.ts'
import { GatehouseError } from '../../kit/errors.ts'
import type { Log } from '../../kit/log.ts'
import type { LogoutTokenOutcome } from '../../oidc/logout-token.ts'
import type { Collection } from '../../store/records.ts'
import type { UpstreamSession } from '../upstream-sessions.ts'

/** Who someone is, as a connector tells it (dex connector/connector.go `Identity`). */
export interface Identity {
  /** Stable at this connector; with the connector's id it makes the `sub` claim. */
  readonly userId: string
  /** The `name` claim. */
  readonly username: string
  readonly preferredUsername: string
  readonly email: string
  readonly emailVerified: boolean
  /** Without a leading slash. */
  readonly groups: readonly string[]
}

/** Someone signed in: who, and what the connector needs later. Both texts are secrets. */
export interface Authentication {
  readonly identity: Identity
  /** Whatever the connector wants back when it refreshes. */
  readonly connectorData?: string
  /** The ID token to show the identity provider at sign-out. */
  readonly upstreamIdToken?: string
  /** The session at the identity provider, where it can say that it has ended. */
  readonly upstreamSession?: UpstreamSession
}

/** How an attempt to sign in, or to renew a sign-in, ended. */
export type Outcome =
  | ({ readonly kind: 'authenticated' } & Authentication)
  /** The user is known and not wanted: no required group, disabled, consent refused. */
  | { readonly kind: 'refused'; readonly reason: 'groups' | 'denied' | 'disabled'; readonly detail: string }
  | { readonly kind: 'wrong-password' }

/** One visitor's attempt to sign in, the same from the redirect to the callback. */
export interface LoginAttempt {
  /** Goes to the identity provider and must come back unchanged. */
  readonly state: string
  readonly scopes: RequestedScopes
  /** A secret of this attempt and this use only; the same at the start and at the end, after a restart too. */
  secretFor(use: string): string
}

/** What of the client's scopes matters to a connector (dex connector/connector.go `Scopes`). */
export interface RequestedScopes {
  readonly offlineAccess: boolean
  /** What the connector keeps for refreshing is to outlive the user's session at the identity provider. */
  readonly isOwnSession: boolean
  readonly groups: boolean
}

/** Signs in by sending the browser away and taking it back. */
export interface CallbackCapability {
  loginUrl(attempt: LoginAttempt): Promise<string>
  /** @param parameters what the identity provider sent the browser back with. */
  handleCallback(attempt: LoginAttempt, parameters: URLSearchParams): Promise<Outcome>
}

/** Signs in by a name and a password typed into the broker's own page. */
export interface PasswordCapability {
  /** What the name is called on the page: `Email Address`, `Username`. */
  readonly prompt: string
  login(username: string, password: string): Promise<Outcome>
}

/** Asks the identity provider again, so that changed groups and disabled users take effect. */
export interface RefreshCapability {
  refresh(previous: { readonly identity: Identity; readonly connectorData: string | undefined }): Promise<Outcome>
}

/** Ends the session at the identity provider. */
export interface LogoutCapability {
  /**
   * Where to send the browser; `undefined` where the provider has no such place. It comes back to the broker's
   * `/logout/callback` with `state`.
   */
  logoutUrl(parameters: {
    readonly idTokenHint: string | undefined
    readonly state: string
  }): Promise<string | undefined>
}

/** Believes the identity provider when it says that a session there has ended. */
export interface BackchannelLogoutCapability {
  verify(logoutToken: string): Promise<LogoutTokenOutcome>
}

/**
 * A way to sign in. It offers what it can: exactly one of `callback` and `password`, and the others where possible.
 * Without `refresh` no refresh token is issued. Every method throws `ConnectorError` where the provider fails.
 */
export interface Connector {
  readonly callback?: CallbackCapability
  readonly password?: PasswordCapability
  readonly refresh?: RefreshCapability
  readonly logout?: LogoutCapability
  readonly backchannelLogout?: BackchannelLogoutCapability
}

/** What a connector is opened with beside its own configuration. */
export interface ConnectorDependencies {
  readonly id: string
  /** The broker's issuer followed by `/callback`. */
  readonly callbackUrl: string
  readonly fetch: Fetch
  /** Ids of the logout tokens that were taken. */
  readonly usedLogoutTokens: Collection<true>
  readonly clock: Clock
  readonly log: Log
}

/**
 * The identity provider failed: `unavailable` may pass by itself, `failed` will not. It goes to the log, so `detail`
 * says what happened and carries nothing the provider sent along: that may hold tokens.
 */
export class ConnectorError extends GatehouseError {
  declare readonly code: 'connector_unavailable' | 'connector_failed'

  constructor(kind: 'unavailable' | 'failed', detail: string) {
    super(`connector_${kind}`, 'the identity provider could not complete the sign-in', { detail })
    this.name = 'ConnectorError'
  }
}

/** What an error says, with the system's code of what lies behind it (`fetch failed (ECONNREFUSED)`). */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code } = (error.cause ?? {}) as { code?: unknown }
  return typeof code === 'string' ? `${error.message} (${code})` : error.message
}
