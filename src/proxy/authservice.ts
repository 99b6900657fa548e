/** What oidc-authservice does beyond, or unlike, oauth2-proxy. */
export interface AuthserviceSettings {
  /** Path of its own routes, no trailing slash: `/authservice`. */
  readonly prefix: string
  /** Path the callback listens on. */
  readonly callbackPath: string
  /** Browser-facing authorization URL that wins over discovery; may be a path. */
  readonly authorizationUrl: string | undefined
  readonly skipPrefixes: readonly string[]
  /** Where to go after a login, with `?next=` the first URL; empty for the first URL itself. */
  readonly afterLoginUrl: string
  readonly afterLogoutUrl: string
  readonly userIdHeader: string
  readonly userIdPrefix: string
  readonly groupsHeader: string
  /** Header that carries the raw ID token, where one is configured. */
  readonly idTokenHeader: string | undefined
  /** The first pattern (RE2) that matches the user id rewrites it (`USERID_TRANSFORMERS`). */
  readonly userIdTransformers: readonly { readonly matches: string; readonly replaces: string }[]
}
