import { z } from 'zod'

const text = z.string().default('')
const flag = z.boolean().default(false)
const list = z.array(z.string()).default([])

/** `connectors[].config` of type `oidc` (dex connector/oidc/oidc.go `Config`). */
export const oidcConnectorConfigSchema = z.strictObject({
  issuer: z
    .string('must be the http(s) URL of the identity provider')
    .regex(/^https?:\/\/[^\s?#]+$/, 'must be the http(s) URL of the identity provider'),
  /** Another `issuer` its discovery document and tokens may carry. */
  issuerAlias: text,
  clientID: z
    .string('must name the client registered at the identity provider')
    .min(1, 'must name the client registered at the identity provider'),
  clientSecret: text,
  /** Where the identity provider sends the browser back; the broker's issuer followed by `/callback` when absent. */
  redirectURI: z.string().optional(),
  /** Beside `openid`. */
  scopes: list,
  /** Sends the secret as a form field; found out from discovery when absent. */
  basicAuthUnsupported: z.boolean().optional(),
  rootCAs: list,
  insecureSkipVerify: flag,
  insecureSkipEmailVerified: flag,
  getUserInfo: flag,
  userIDKey: text,
  userNameKey: text,
  acrValues: list,
  /** Sent only together with `offline_access`, as Dex does. */
  promptType: z.string().default('consent'),
  pkceChallenge: text,
  insecureEnableGroups: flag,
  allowedGroups: list,
  overrideClaimMapping: flag,
  claimMapping: z.strictObject({ preferred_username: text, email: text, groups: text }).prefault({}),
  claimModifications: z
    .strictObject({
      newGroupFromClaims: z
        .array(z.strictObject({ claims: list, delimiter: text, clearDelimiter: flag, prefix: text }))
        .default([]),
      filterGroupClaims: z.strictObject({ groupsFilter: text }).prefault({}),
      modifyGroupNames: z.strictObject({ prefix: text, suffix: text }).prefault({}),
    })
    .prefault({}),
  providerDiscoveryOverrides: z
    .strictObject({
      tokenURL: text,
      authURL: text,
      jwksURL: text,
      userInfoURL: text,
      deviceAuthURL: text,
      endSessionURL: text,
    })
    .prefault({}),
  hostedDomains: z.array(z.string()).max(0, 'is not supported; use the `google` connector in Dex').default([]),
})

/** A parsed `oidc` connector configuration. */
export type OidcConnectorConfig = z.output<typeof oidcConnectorConfigSchema>
