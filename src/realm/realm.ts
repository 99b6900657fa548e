import type { KeyObject } from 'node:crypto'
import type { Kysely } from 'kysely'
import type { Clock } from '../kit/clock.ts'
import type { Log } from '../kit/log.ts'
import type { Random } from '../kit/random.ts'
import type { StateSealer } from '../oidc/sealed-state.ts'
import type { Collection } from '../store/records.ts'
import type { KeyRing } from '../tokens/key-ring.ts'
import type { ClientLogout } from './client-logout.ts'
import type { AuthorizationCode } from './login/authorization-code.ts'
import type { RealmModel } from './model.ts'
import type { PasswordHasher } from './passwords/hash-password.ts'
import type { Throttle } from './passwords/throttle.ts'
import type { SessionStore } from './session-store.ts'
import type { RealmTables } from './tables.ts'
import type { UserStore } from './user-store.ts'

/** An open realm: what the steps of every endpoint work with. */
export interface Realm {
  readonly model: RealmModel
  /** `https://id.example.com/auth/realms/kubeflow` */
  readonly issuer: string
  /** The issuer's path, `/auth/realms/kubeflow`. */
  readonly path: string
  /** Where the files of the pages are, no trailing slash. */
  readonly assetsPath: string
  /** Whether the public address is https, so that cookies may be `Secure`. */
  readonly isSecure: boolean
  readonly database: Kysely<RealmTables>
  readonly users: UserStore
  readonly sessions: SessionStore
  readonly clientLogout: ClientLogout
  readonly keys: KeyRing
  /** Signs what only this realm reads: refresh tokens, the identity cookie. */
  readonly ownKey: { readonly kid: string; readonly alg: 'HS512'; readonly privateKey: KeyObject }
  readonly codes: Collection<AuthorizationCode>
  /** Refresh tokens that were used, where the realm rotates them. */
  readonly usedRefreshTokens: Collection<null>
  /** Ids of access tokens that were revoked before they expired. */
  readonly revokedTokens: Collection<true>
  readonly hasher: PasswordHasher
  readonly throttle: Throttle
  /** Seals a login under way into its form. */
  readonly loginSealer: StateSealer
  /** Seals the last login begun into a cookie, so that it can be begun again. */
  readonly restartSealer: StateSealer
  /** Seals a login that waits for a new password. */
  readonly updateSealer: StateSealer
  /** Seals a sign-out that waits for the user's word. */
  readonly logoutSealer: StateSealer
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}
