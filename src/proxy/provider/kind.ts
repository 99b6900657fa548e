import type { Log } from '../../kit/log.ts'
import type { JsonObject } from '../../tokens/jwt.ts'
import type { ProviderOptions } from '../alpha/provider-options.ts'
import type { ProxyKeyName } from '../keys.ts'
import type { Session } from '../session.ts'
import type { ProviderApi } from './api.ts'

/** Something a kind of provider cannot work with, under the flat key that says it. */
export interface KindProblem {
  readonly key: ProxyKeyName
  readonly message: string
  readonly fix: string
}

/** What a kind may use to complete a session. */
export interface EnrichTools {
  /** As configured, with the kind's defaults; `loginURL` as discovered. */
  readonly options: ProviderOptions
  /** The profile endpoint, discovered or configured. */
  readonly userinfoUrl: string | undefined
  readonly api: ProviderApi
  /** Of the ID token and the profile; empty for providers without OpenID Connect. */
  readonly claims: JsonObject
  readonly nowSeconds: number
  readonly log: Log
}

/** Signs what stands in for a client secret (RFC 7523 §2.2). */
export type ClientAssertion = (request: { tokenUrl: string; nowSeconds: number; id: string }) => Promise<string>

/**
 * One kind of provider: what differs from plain OpenID Connect or plain OAuth 2.0. The shared steps (state, PKCE,
 * redeeming, verifying, refreshing) belong to `open-provider.ts`, so that no kind can forget one.
 */
export interface ProviderKind {
  /** What the sign-in page calls it. */
  readonly title: string
  /** `oidc`: who someone is comes from a verified ID token; `oauth2`: from the provider's API, asked by `enrich`. */
  readonly protocol: 'oidc' | 'oauth2'
  /** In one sentence, for the documentation. */
  readonly about: string
  /** Flat keys that only this kind reads. */
  readonly keys?: readonly ProxyKeyName[]
  /** What is not configured. */
  readonly defaults?: Partial<Pick<ProviderOptions, 'loginURL' | 'redeemURL' | 'profileURL' | 'validateURL' | 'scope'>>
  /** Settings that follow from others. Runs after `defaults`. */
  settle?(options: ProviderOptions): ProviderOptions
  /** Settings it cannot start with. */
  check?(options: ProviderOptions): readonly KindProblem[]
  /** How the client authenticates at the token endpoint: by discovery (`oidc`) or in the body (`oauth2`) unless said. */
  readonly clientAuth?: 'client_secret_post'
  /** Present where an assertion may stand in for the secret; answers `undefined` where it does not. */
  clientAssertion?(options: ProviderOptions): ClientAssertion | undefined
  /** Alters the parameters of the authorization request. */
  authorize?(parameters: URLSearchParams, options: ProviderOptions): void
  /**
   * Who the claims are about beyond the usual ones; at logins, refreshes and for bearer tokens.
   * @throws GatehouseError `not_admitted` for an account that must not enter.
   */
  identify?(session: Session, claims: JsonObject, options: ProviderOptions): Session
  /**
   * Asks the provider's API who someone is and which groups they are in; at logins and refreshes.
   * @throws GatehouseError `not_admitted`, or what `api` throws.
   */
  enrich?(session: Session, tools: EnrichTools): Promise<Session>
  /** Groups of which one is needed, in place of `allowedGroups`; empty where the kind sets none. */
  allowedGroups?(options: ProviderOptions): readonly string[]
  /** Headers an access token is shown with at `validateURL`; in the query (`access_token`) where absent. */
  tokenHeaders?(accessToken: string): Readonly<Record<string, string>>
}

/** `Authorization: Bearer`, asking for JSON. */
export function bearerHeaders(accessToken: string): Readonly<Record<string, string>> {
  return { accept: 'application/json', authorization: `Bearer ${accessToken}` }
}
