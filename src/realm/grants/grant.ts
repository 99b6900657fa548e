import type { Client } from '../model.ts'
import type { Realm } from '../realm.ts'
import type { TokenGrant } from '../tokens/issue-tokens.ts'

/** A request to the token endpoint from a client that has proved who it is. */
export interface GrantRequest {
  readonly realm: Realm
  readonly client: Client
  readonly form: URLSearchParams
  readonly address: string
}

/** One `grant_type`: decides what tokens are issued for. @throws OAuthError */
export type Grant = (request: GrantRequest) => Promise<TokenGrant>
