/**
 * Room `realm`: the identity provider, compatible with Keycloak 26 (realms, users, groups, roles, clients, sessions, the
 * login pages and the OpenID Connect endpoints under `{base}/realms/{realm}`). It must not know the broker, the proxy or
 * the gateway, nor read files: it is given a parsed realm representation and a database.
 */
import { checkRepresentation } from './check-representation.ts'
import { type RealmRepresentation, realmFieldsSchema } from './representation.ts'

export type { RealmRepresentation } from './representation.ts'
export { unusedRealmKeys } from './unused-keys.ts'

/**
 * The subset of Keycloak's realm representation this room acts on, and the names of the rest. `enabled` is true unless
 * said otherwise (Keycloak creates a realm without it disabled).
 */
export const realmRepresentationSchema = realmFieldsSchema.superRefine(checkRepresentation)

/** What the realm part is opened with. */
export interface RealmConfig {
  /** Origin and base path, no trailing slash: `https://id.example.com/auth`, `https://id.example.com`. */
  readonly publicUrl: string
  readonly realms: readonly RealmRepresentation[]
  /** How often signing keys change, in milliseconds; 90 days, published one day ahead, unless given. */
  readonly rotation?: { readonly period: number; readonly publishAhead: number }
}
