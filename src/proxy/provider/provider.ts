import type { LogoutTokenOutcome } from '../../oidc/logout-token.ts'
import type { Collection } from '../../store/records.ts'
import type { PendingLogin } from '../login/csrf-cookie.ts'
import type { Session } from '../session.ts'

/** What one authorization request says beside the provider's own settings. */
export interface AuthorizationRequest {
  readonly state: string
  readonly redirectUri: string
  /** Whether the sign-in is to outlast the browser's. */
  readonly isOffline?: boolean
  /** Leaves `prompt` out, where `prompt=none` was too much to ask. */
  readonly withoutPrompt?: boolean
  /** The query of `/oauth2/start`, of which `loginURLParameters` may allow some. */
  readonly wishes?: URLSearchParams
}

/** A provider users sign in at, seen from here. */
export interface Provider {
  /** Where the browser is sent to sign in. @throws GatehouseError `provider_unavailable`. */
  authorizationUrl(login: PendingLogin, request: AuthorizationRequest): Promise<string>
  /** Redeems a code and answers the session it proves. @throws GatehouseError where it does not. */
  redeem(code: string, login: PendingLogin, redirectUri: string): Promise<Session>
  /**
   * A session with fresh tokens; one without a refresh token whose access token still counts.
   * @throws GatehouseError `grant_refused` where its tokens are dead, `not_admitted` where its user may no longer enter.
   */
  refresh(session: Session): Promise<Session>
  /** The session a bearer token stands for, or why it stands for none. @throws GatehouseError like `redeem`. */
  sessionOfBearer(token: string): Promise<{ session: Session } | { refused: string }>
  /** Whether an answer with this `iss` parameter can come from the provider this login began at (RFC 9207 §2.4). */
  isOwnAnswer(login: PendingLogin, issuer: string | null): Promise<boolean>
  /** Whether a logout token of the provider is believed; `used` remembers those that were. */
  verifyLogout(token: string, used: Collection<true>): Promise<LogoutTokenOutcome>
  /** Where the browser ends the provider's session. */
  endSessionUrl(session?: Session): Promise<string | undefined>
  /** What is called, with the ID token for `{id_token}`, where a session ends; empty for nothing. */
  backendLogoutUrl(session?: Session): string
  /** Where an access token is shown to learn whom it is for; `undefined` where there is no such place. */
  userinfoUrl(): Promise<string | undefined>
  /** The id this proxy has at the provider of a session. */
  clientId(session?: Session): string
  /** Whether users can sign in: the endpoints are known. */
  isReady(): boolean
}
