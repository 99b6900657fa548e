import { z } from 'zod'
import {
  unusedClientFields,
  unusedCredentialFields,
  unusedGroupFields,
  unusedMapperFields,
  unusedRealmFields,
  unusedRoleFields,
  unusedUserFields,
} from './representation-fields.ts'

/** Keys that are accepted and kept as they are. */
function kept<const Names extends readonly string[]>(names: Names) {
  return Object.fromEntries(names.map((name) => [name, z.unknown().optional()])) as {
    [Name in Names[number]]: z.ZodOptional<z.ZodUnknown>
  }
}

const seconds = z.int().min(0)
const optional = <Schema extends z.ZodType>(schema: Schema) => schema.optional()
const texts = z.array(z.string())
const attributes = z.record(z.string(), texts)
const rolesByClient = z.record(z.string(), texts)

/** `protocolMapper` names a row of `mappers/index.ts`; booleans in `config` are the texts `true` and `false`. */
export const protocolMapperSchema = z.strictObject({
  id: optional(z.string()),
  name: z.string(),
  protocol: optional(z.string()),
  protocolMapper: z.string(),
  config: z.record(z.string(), z.string()).default({}),
  ...kept(unusedMapperFields),
})

export const clientScopeSchema = z.strictObject({
  id: optional(z.string()),
  name: z.string().min(1),
  description: optional(z.string()),
  protocol: optional(z.string()),
  attributes: z.record(z.string(), z.string()).default({}),
  protocolMappers: z.array(protocolMapperSchema).default([]),
})

export const clientSchema = z.strictObject({
  id: optional(z.string()),
  clientId: z.string().min(1),
  name: optional(z.string()),
  description: optional(z.string()),
  enabled: z.boolean().default(true),
  protocol: z.string().default('openid-connect'),
  rootUrl: optional(z.string()),
  redirectUris: texts.default([]),
  webOrigins: texts.default([]),
  publicClient: z.boolean().default(false),
  bearerOnly: z.boolean().default(false),
  secret: optional(
    z
      .string()
      .min(1)
      .refine((secret) => !/^\*+$/.test(secret), 'the secret is masked (`**********`): write the real one'),
  ),
  standardFlowEnabled: z.boolean().default(true),
  directAccessGrantsEnabled: z.boolean().default(false),
  serviceAccountsEnabled: z.boolean().default(false),
  fullScopeAllowed: z.boolean().default(true),
  attributes: z.record(z.string(), z.string()).default({}),
  protocolMappers: z.array(protocolMapperSchema).default([]),
  defaultClientScopes: optional(texts),
  optionalClientScopes: optional(texts),
  defaultRoles: optional(texts),
  ...kept(unusedClientFields),
})

const baseGroupSchema = z.strictObject({
  id: optional(z.string()),
  name: z.string().min(1),
  attributes: attributes.default({}),
  realmRoles: texts.default([]),
  clientRoles: rolesByClient.default({}),
  ...kept(unusedGroupFields),
})

/** A group; its path is the names of its ancestors and its own, each after a `/`. */
export type GroupRepresentation = z.output<typeof baseGroupSchema> & { readonly subGroups: GroupRepresentation[] }
type GroupInput = z.input<typeof baseGroupSchema> & { subGroups?: GroupInput[] | undefined }

export const groupSchema: z.ZodType<GroupRepresentation, GroupInput> = z.lazy(() =>
  z.strictObject({ ...baseGroupSchema.shape, subGroups: z.array(groupSchema).default([]) }),
)

export const roleSchema = z.strictObject({
  id: optional(z.string()),
  name: z.string().min(1),
  description: optional(z.string()),
  composites: optional(
    z.strictObject({ realm: optional(texts), client: optional(rolesByClient), application: z.unknown().optional() }),
  ),
  ...kept(unusedRoleFields),
})

/** A credential: `value` in plain text, or `secretData` and `credentialData` as Keycloak exports them (texts of JSON). */
export const credentialSchema = z.strictObject({
  id: optional(z.string()),
  type: z.string().default('password'),
  value: optional(z.string().min(1)),
  temporary: z.boolean().default(false),
  secretData: optional(z.string()),
  credentialData: optional(z.string()),
  createdDate: optional(z.number()),
  priority: optional(z.number()),
  hashedSaltedValue: optional(z.string()),
  salt: optional(z.string()),
  hashIterations: optional(z.int()),
  algorithm: optional(z.string()),
  ...kept(unusedCredentialFields),
})

export const userSchema = z.strictObject({
  id: optional(z.string()),
  username: z.string().min(1),
  email: optional(z.string()),
  emailVerified: z.boolean().default(false),
  firstName: optional(z.string()),
  lastName: optional(z.string()),
  enabled: z.boolean().default(true),
  createdTimestamp: optional(z.number()),
  attributes: attributes.default({}),
  credentials: z.array(credentialSchema).default([]),
  requiredActions: texts.default([]),
  realmRoles: optional(texts),
  clientRoles: rolesByClient.default({}),
  groups: texts.default([]),
  serviceAccountClientId: optional(z.string()),
  notBefore: optional(z.int()),
  ...kept(unusedUserFields),
})

const scopeMappingSchema = z.strictObject({
  self: z.unknown().optional(),
  client: optional(z.string()),
  clientTemplate: z.unknown().optional(),
  clientScope: optional(z.string()),
  roles: texts.default([]),
})

/** A realm, field by field; `realmRepresentationSchema` also looks at how they go together. */
export const realmFieldsSchema = z.strictObject({
  id: optional(z.string()),
  realm: z.string().regex(/^[^/?#%\\\s]+$/, 'must be a name without spaces and `/ ? # % \\`'),
  displayName: optional(z.string()),
  enabled: z.boolean().default(true),
  defaultSignatureAlgorithm: z.enum(['RS256', 'ES256'], 'must be RS256 or ES256').default('RS256'),
  revokeRefreshToken: z.boolean().default(false),
  refreshTokenMaxReuse: z.int().min(0).default(0),
  accessTokenLifespan: seconds.default(300),
  ssoSessionIdleTimeout: seconds.default(1800),
  ssoSessionMaxLifespan: seconds.default(36_000),
  ssoSessionIdleTimeoutRememberMe: seconds.default(0),
  ssoSessionMaxLifespanRememberMe: seconds.default(0),
  offlineSessionIdleTimeout: seconds.default(2_592_000),
  offlineSessionMaxLifespanEnabled: z.boolean().default(false),
  offlineSessionMaxLifespan: seconds.default(5_184_000),
  clientSessionIdleTimeout: seconds.default(0),
  clientSessionMaxLifespan: seconds.default(0),
  accessCodeLifespan: seconds.default(60),
  accessCodeLifespanLogin: seconds.default(1800),
  rememberMe: z.boolean().default(false),
  loginWithEmailAllowed: z.boolean().default(true),
  duplicateEmailsAllowed: z.boolean().default(false),
  bruteForceProtected: z.boolean().default(false),
  permanentLockout: z.boolean().default(false),
  bruteForceStrategy: z.enum(['LINEAR', 'MULTIPLE']).default('MULTIPLE'),
  failureFactor: z.int().min(1).default(30),
  waitIncrementSeconds: seconds.default(60),
  maxFailureWaitSeconds: seconds.default(900),
  maxDeltaTimeSeconds: seconds.default(43_200),
  roles: z
    .strictObject({
      realm: z.array(roleSchema).default([]),
      client: z.record(z.string(), z.array(roleSchema)).default({}),
      application: z.unknown().optional(),
    })
    .default({ realm: [], client: {} }),
  defaultRole: optional(roleSchema),
  defaultRoles: optional(texts),
  groups: z.array(groupSchema).default([]),
  defaultGroups: texts.default([]),
  users: z.array(userSchema).default([]),
  clients: z.array(clientSchema).default([]),
  clientScopes: z.array(clientScopeSchema).default([]),
  defaultDefaultClientScopes: optional(texts),
  defaultOptionalClientScopes: optional(texts),
  scopeMappings: z.array(scopeMappingSchema).default([]),
  clientScopeMappings: z.record(z.string(), z.array(scopeMappingSchema)).default({}),
  ...kept(unusedRealmFields),
})

export type RealmRepresentation = z.output<typeof realmFieldsSchema>

export type ClientRepresentation = z.output<typeof clientSchema>
export type ClientScopeRepresentation = z.output<typeof clientScopeSchema>
export type ProtocolMapperRepresentation = z.output<typeof protocolMapperSchema>
export type UserRepresentation = z.output<typeof userSchema>
export type CredentialRepresentation = z.output<typeof credentialSchema>
export type RoleRepresentation = z.output<typeof roleSchema>
