/** Who is signed in, and the tokens that prove it: oauth2-proxy's session (pkg/apis/sessions/session_state.go). */
export interface Session {
  /** Milliseconds since the epoch; whole seconds of it are in the cookie's signed part. */
  readonly createdAt: number
  /** When the access token dies, milliseconds since the epoch; absent where the provider did not say. */
  readonly expiresAt?: number
  readonly accessToken?: string
  readonly idToken?: string
  readonly refreshToken?: string
  /** The raw nonce of the login, 32 bytes. */
  readonly nonce?: Uint8Array
  readonly email?: string
  /** The `sub`. */
  readonly user?: string
  readonly groups?: readonly string[]
  readonly preferredUsername?: string
  /** Claims kept beside those above (`additionalClaims` of the alpha configuration). */
  readonly additionalClaims?: Readonly<Record<string, unknown>>
  /** Id of the provider the user signed in at; set only where more than one is configured. */
  readonly provider?: string
  /** How a request to oidc-authservice's stand-in proved it. It is never kept with a session. */
  readonly authMethod?: 'cookie' | 'header'
  /** Paths a personal access token is limited to, each with all below it. It is never kept with a session. */
  readonly scope?: readonly string[]
}
