import type { RequestContext } from '../http/part.ts'
import type { Broker } from './broker.ts'
import type { StaticClient } from './config.ts'
import type { IssuedTokens } from './issue-tokens.ts'

/** What a grant of the token endpoint is given; the client has been authenticated. */
export interface GrantRequest {
  readonly broker: Broker
  readonly client: StaticClient
  readonly form: URLSearchParams
  readonly context: RequestContext
}

/** What a grant gives. */
export interface GrantedTokens extends IssuedTokens {
  readonly refreshToken?: string | undefined
}

/** One grant. @throws OAuthError where it is refused. */
export type HandleGrant = (request: GrantRequest) => Promise<GrantedTokens>
