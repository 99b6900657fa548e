import type { CodeChallenge } from '../oauth/pkce.ts'
import type { StaticClient } from './config.ts'
import { isRedirectUriAllowed, outOfBandUri } from './redirect-uris.ts'

/** A valid authorization request: what the client asked for. */
export interface AuthRequest {
  readonly clientId: string
  readonly redirectUri: string
  readonly scopes: readonly string[]
  readonly state: string
  readonly nonce: string
  readonly responseTypes: readonly string[]
  readonly challenge?: CodeChallenge
  /** `approval_prompt=force`: ask for consent even where the approval screen is skipped. */
  readonly forceApproval: boolean
  /**
   * `offline_session=own` beside `offline_access`: the sign-in is a program's, and lives on when the browser signs out
   * (ours; Dex ignores the parameter).
   */
  readonly isOwnSession: boolean
}

/** A request refused: shown to the visitor, or told to the client by redirect. */
export type Refusal =
  | { readonly kind: 'shown'; readonly status: number; readonly message: string }
  | {
      readonly kind: 'redirected'
      readonly redirectUri: string
      readonly state: string
      readonly error: string
      readonly description: string
    }

/** What a request is judged by. */
export interface AuthRules {
  readonly clients: ReadonlyMap<string, StaticClient>
  readonly connectorIds: readonly string[]
  readonly responseTypes: readonly string[]
}

/** The scopes of Dex that are not `audience:server:client_id:…`. */
const plainScopes = ['openid', 'offline_access', 'email', 'profile', 'groups', 'federated:id']
const atomicResponseTypes = ['code', 'id_token', 'token']

/** A refusal told by redirect, before it knows where to. */
interface Complaint {
  readonly error: string
  readonly description: string
}

/**
 * Judges an authorization request in Dex's order and words (dex server/oauth2.go `parseAuthorizationRequest`). Until
 * the redirect URI has proved to be the client's nothing is redirected anywhere. `prompt` is ignored, as Dex 2.45
 * does: Kubeflow's stock oauth2-proxy always sends `prompt=none`.
 */
export function parseAuthRequest(
  parameters: URLSearchParams,
  rules: AuthRules,
): { readonly kind: 'valid'; readonly request: AuthRequest } | Refusal {
  const get = (name: string) => parameters.get(name) ?? ''
  const client = rules.clients.get(get('client_id'))
  if (!client) return { kind: 'shown', status: 404, message: 'Invalid client_id.' }
  // Dex 2.45 decodes `redirect_uri` twice, and clients that encode it twice rely on that.
  const spellings = [get('redirect_uri'), decode(get('redirect_uri'))]
  const redirectUri = spellings.find((uri) => uri !== undefined && isRedirectUriAllowed(client, uri))
  if (redirectUri === undefined) return { kind: 'shown', status: 400, message: 'Unregistered redirect_uri.' }
  const scopes = words(get('scope'))
  const responseTypes = words(get('response_type'))
  const complaint =
    checkConnectorId(get('connector_id'), rules) ??
    checkRequestObject(get('request')) ??
    checkChallengeMethod(get('code_challenge_method')) ??
    checkScopes(scopes, client, rules) ??
    checkResponseTypes(responseTypes, rules) ??
    checkFlow(responseTypes, { nonce: get('nonce'), redirectUri })
  if (complaint) return { kind: 'redirected', redirectUri, state: get('state'), ...complaint }
  const challenge = get('code_challenge')
  return {
    kind: 'valid',
    request: {
      clientId: client.id,
      redirectUri,
      scopes,
      state: get('state'),
      nonce: get('nonce'),
      responseTypes,
      // RFC 7636 §4.3: without a method it is `plain`.
      ...(challenge === ''
        ? {}
        : { challenge: { challenge, method: get('code_challenge_method') === 'S256' ? 'S256' : 'plain' } }),
      forceApproval: get('approval_prompt') === 'force',
      isOwnSession: get('offline_session') === 'own' && scopes.includes('offline_access'),
    },
  }
}

/** The client an `audience:server:client_id:…` scope names. */
export function peerOfScope(scope: string): string | undefined {
  const prefix = 'audience:server:client_id:'
  return scope.startsWith(prefix) ? scope.slice(prefix.length) : undefined
}

/** Whether `peer` lets `clientId` ask for tokens for it (dex server/oauth2.go `validateCrossClientTrust`). */
export function isTrustedBy(
  peerId: string,
  { clientId, clients }: { clientId: string; clients: ReadonlyMap<string, StaticClient> },
): boolean {
  return peerId === clientId || Boolean(clients.get(peerId)?.trustedPeers.includes(clientId))
}

/** What is wrong with these scopes for this client; shared by the password grant, which answers it otherwise. */
export function checkScopes(
  scopes: readonly string[],
  client: StaticClient,
  { clients }: Pick<AuthRules, 'clients'>,
): Complaint | undefined {
  const unrecognized = scopes.filter((scope) => !plainScopes.includes(scope) && peerOfScope(scope) === undefined)
  const untrusted = scopes.filter((scope) => {
    const peer = peerOfScope(scope)
    return peer !== undefined && !isTrustedBy(peer, { clientId: client.id, clients })
  })
  const complain = (description: string): Complaint => ({ error: 'invalid_scope', description })
  if (!scopes.includes('openid')) return complain('Missing required scope(s) ["openid"].')
  if (unrecognized.length > 0) return complain(`Unrecognized scope(s) ${quoteList(unrecognized)}`)
  if (untrusted.length > 0) return complain(`Client can't request scope(s) ${quoteList(untrusted)}`)
  return undefined
}

/** Go's `%q` of a list of strings: `["a" "b"]`. */
export function quoteList(items: readonly string[]): string {
  return `[${items.map((item) => JSON.stringify(item)).join(' ')}]`
}

/** Words between any white space: some clients send more than one blank. */
export function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '')
}

function checkConnectorId(id: string, { connectorIds }: AuthRules): Complaint | undefined {
  return id === '' || connectorIds.includes(id) ? undefined : invalid('Invalid ConnectorID')
}

function checkRequestObject(request: string): Complaint | undefined {
  if (request === '') return undefined
  return { error: 'request_not_supported', description: 'Server does not support request parameter.' }
}

function checkChallengeMethod(method: string): Complaint | undefined {
  if (['', 'S256', 'plain'].includes(method)) return undefined
  return invalid(`Unsupported PKCE challenge method (${JSON.stringify(method)}).`)
}

function checkResponseTypes(types: readonly string[], { responseTypes }: AuthRules): Complaint | undefined {
  for (const type of types) {
    if (!atomicResponseTypes.includes(type)) return invalid(`Invalid response type ${JSON.stringify(type)}`)
    if (!responseTypes.includes(type)) {
      const description = `Unsupported response type ${JSON.stringify(type)}`
      return { error: 'unsupported_response_type', description }
    }
  }
  return types.length === 0 ? invalid('No response_type provided') : undefined
}

function checkFlow(
  types: readonly string[],
  { nonce, redirectUri }: { nonce: string; redirectUri: string },
): Complaint | undefined {
  const hasToken = types.includes('token')
  if (hasToken && types.every((type) => type === 'token')) {
    return invalid("Response type 'token' must be provided with type 'id_token' and/or 'code'")
  }
  if (!types.includes('code') && nonce === '') return invalid("Response type 'token' requires a 'nonce' value.")
  if (types.some((type) => type !== 'code') && redirectUri === outOfBandUri) {
    return invalid(`Cannot use response type 'token' with redirect_uri '${outOfBandUri}'.`)
  }
  return undefined
}

function invalid(description: string): Complaint {
  return { error: 'invalid_request', description }
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}
