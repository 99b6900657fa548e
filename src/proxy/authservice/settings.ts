/** What oidc-authservice does beyond, or unlike, oauth2-proxy. */
export interface AuthserviceSettings {
  /** Path of its own routes, no trailing slash: `/authservice`. */
  readonly prefix: string
  /** Path below which it is asked by nginx: `/authservice/verify`. */
  readonly verifyPath: string
  /** Path the callback listens on. */
  readonly callbackPath: string
  /** Browser-facing authorization URL that wins over discovery; may be a path. */
  readonly authorizationUrl: string | undefined
  readonly skipPrefixes: readonly string[]
  /** Where to go after a login, with `?next=` the first URL; empty for the first URL itself. */
  readonly afterLoginUrl: string
  readonly afterLogoutUrl: string
  /** Where a callback leads that brings nothing. */
  readonly homepageUrl: string
  /** What its pages call the platform. */
  readonly clientName: string
  readonly userIdHeader: string
  readonly userIdPrefix: string
  readonly groupsHeader: string
  /** Header that carries the raw ID token, where one is configured. */
  readonly idTokenHeader: string | undefined
  /** Header that tells the app how the user was proven (`cookie`, `header`). */
  readonly authMethodHeader: string
  /** Whether apps get the ID token as their `Authorization`, for policies that ask for one. */
  readonly passesIdToken: boolean
  /** The first pattern (RE2) that matches the user id rewrites it (`USERID_TRANSFORMERS`). */
  readonly userIdTransformers: readonly { readonly matches: string; readonly replaces: string }[]
  readonly authenticators: AuthenticatorSettings
  /** Asked about each request of someone who is signed in; empty for nobody. */
  readonly externalAuthorizationUrl: string
  /** Whether the provider is asked again whether a session's access token counts. */
  readonly isStrict: boolean
}

/** How users may prove who they are, beside the session cookie. */
export interface AuthenticatorSettings {
  /** Header of bearer tokens and session ids, in lower case. */
  readonly bearerHeader: string
  /** Header of ID tokens, in lower case. */
  readonly idTokenHeader: string
  /** What access tokens, and tokens of Kubernetes, must be meant for. */
  readonly audiences: readonly string[]
  readonly kubernetes: boolean
  readonly accessToken: 'jwt' | 'opaque' | 'off'
  readonly idToken: boolean
}
