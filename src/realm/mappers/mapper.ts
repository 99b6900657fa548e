import type { Client, RealmModel } from '../model.ts'
import type { User } from '../user.ts'

/** The texts an administrator configured a mapper with. */
export type MapperConfig = Readonly<Record<string, string>>

/** A claims set in the making. */
export type Claims = Record<string, unknown>

/** The role names a token carries; a mapper may add or rename. */
export interface TokenRoles {
  readonly realm: Set<string>
  /** By `clientId`. */
  readonly clients: Map<string, Set<string>>
}

/** What a mapper may draw on. */
export interface MapperInput {
  readonly model: RealmModel
  readonly client: Client
  readonly user: User
  readonly roles: TokenRoles
  /** Facts of the session: `AUTH_TIME`, `clientAddress`, … */
  readonly notes: Readonly<Record<string, unknown>>
  readonly acr: string | undefined
  readonly nonce: string | undefined
}

/** One type of protocol mapper. */
export interface Mapper {
  /** It applies to access tokens unless its configuration says otherwise (older exports leave it out). */
  readonly isInAccessTokenByDefault?: boolean
  /** Changes the roles before any claim is made. */
  mapRoles?(roles: TokenRoles, config: MapperConfig): void
  /** Adds its claims. */
  map?(claims: Claims, config: MapperConfig, input: MapperInput): void
}
