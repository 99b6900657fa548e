import { z } from 'zod'
import { flag, list, text } from './fields.ts'

/** A parameter of the authorization request (oauth2-proxy pkg/apis/options/login_url_parameters.go). */
const loginUrlParameterSchema = z.strictObject({
  name: text,
  /** Sent unless the request to `/oauth2/start` names an allowed one. */
  default: list,
  /** Values `/oauth2/start?name=value` may choose: by their whole text or by an RE2 pattern. */
  allow: z.array(z.strictObject({ value: z.string().optional(), pattern: z.string().optional() })).default([]),
})

const oidcSchema = z.strictObject({
  /** Must equal `issuer` of the discovery document to the byte. */
  issuerURL: text,
  /** `email_verified: false` does not fail the login. */
  insecureAllowUnverifiedEmail: flag(),
  insecureSkipIssuerVerification: flag(),
  /** The nonce is not asked for. On by default in the original; we send one always, and compare it where it comes back. */
  insecureSkipNonce: flag(true),
  skipDiscovery: flag(),
  jwksURL: text,
  /** PEM files with the keys, in place of `jwksURL`. */
  publicKeyFiles: list,
  /** A claim by its literal name, else by its dotted path. */
  emailClaim: z.string().default('email'),
  groupsClaim: z.string().default('groups'),
  /** Deprecated: where it is not `email`, it stands for `emailClaim`. */
  userIDClaim: z.string().default('email'),
  /** The first of these claims that a token has is the one whose audience is checked. */
  audienceClaims: z.array(z.string()).default(['aud']),
  /** Audiences accepted beside the client id. */
  extraAudiences: list,
  enabledSigningAlgs: list,
})

/** One `providers[]` item of the alpha configuration, in the original's order (pkg/apis/options/providers.go). */
export const providerOptionsSchema = z.strictObject({
  clientID: text,
  clientSecret: text,
  /** Read each time a code is redeemed, so that a new secret needs no restart. */
  clientSecretFile: text,
  keycloakConfig: z.strictObject({ groups: list, roles: list }).prefault({}),
  azureConfig: z.strictObject({ tenant: z.string().default('common'), graphGroupField: text }).prefault({}),
  microsoftEntraIDConfig: z.strictObject({ allowedTenants: list, federatedTokenAuth: flag() }).prefault({}),
  ADFSConfig: z.strictObject({ skipScope: flag() }).prefault({}),
  bitbucketConfig: z.strictObject({ team: text, repository: text }).prefault({}),
  githubConfig: z.strictObject({ org: text, team: text, repo: text, token: text, users: list }).prefault({}),
  gitlabConfig: z.strictObject({ group: list, projects: list }).prefault({}),
  googleConfig: z
    .strictObject({
      group: list,
      adminEmail: text,
      serviceAccountJson: text,
      useApplicationDefaultCredentials: flag(),
      targetPrincipal: text,
      useOrganizationID: flag(),
      adminAPIUserScope: text,
    })
    .prefault({}),
  oidcConfig: oidcSchema.prefault({}),
  loginGovConfig: z.strictObject({ jwtKey: text, jwtKeyFile: text, pubjwkURL: text }).prefault({}),
  /** Unique; `?provider=` chooses by it. From flat keys: `provider_display_name`, else `type=client_id`. */
  id: text,
  /** The type: `oidc`, `keycloak-oidc`, `github`, … */
  provider: z.string().default('google'),
  /** What the sign-in page calls it; empty for the type's own name. */
  name: text,
  /** PEM files of the authorities its certificates may come from. */
  caFiles: list,
  /** Whether the system's authorities count beside `caFiles`. */
  useSystemTrustStore: flag(),
  /** May be a path. */
  loginURL: text,
  loginURLParameters: z.array(loginUrlParameterSchema).default([]),
  authRequestResponseMode: text,
  redeemURL: text,
  profileURL: text,
  skipClaimsFromProfileURL: flag(),
  /** Of providers without OIDC (Azure AD). */
  resource: text,
  validateURL: text,
  scope: text,
  /** Users must be in one of them; empty for everybody. */
  allowedGroups: list,
  /** `S256`, `plain` or empty. */
  code_challenge_method: text,
  /** Claims kept in the session for header injection, beside those every session has. */
  additionalClaims: list,
  /** Called by the server at sign-out, with `{id_token}` filled in. */
  backendLogoutURL: text,
})

/** One provider users sign in at, every field present. */
export type ProviderOptions = ReadonlyDeep<z.output<typeof providerOptionsSchema>>

/** The same with nothing in it writable. */
export type ReadonlyDeep<Value> = Value extends readonly (infer Item)[]
  ? readonly ReadonlyDeep<Item>[]
  : Value extends object
    ? { readonly [Key in keyof Value]: ReadonlyDeep<Value[Key]> }
    : Value
