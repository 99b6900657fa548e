import { repeatedField } from '../../http/forms.ts'
import { OAuthError } from '../../oauth/errors.ts'
import type { CodeChallenge } from '../../oauth/pkce.ts'
import type { Client } from '../model.ts'
import { PageError } from '../page-error.ts'
import type { Realm } from '../realm.ts'
import { resolveRedirect } from '../redirect-uris.ts'
import { isValidScope } from '../tokens/scope.ts'
import { type ResponseTarget, responseModes, responseTarget } from './authorization-response.ts'

/** A checked authorization request; what a login under way has to remember. */
export interface AuthorizationRequest extends ResponseTarget {
  readonly clientId: string
  readonly scope?: string
  readonly nonce?: string
  readonly prompts: readonly string[]
  /** The `redirect_uri` as it was sent; absent where the client relies on the registered one. */
  readonly sentRedirectUri?: string
  /** Seconds. */
  readonly maxAge?: number
  readonly loginHint?: string
  readonly challenge?: CodeChallenge
}

/** An error that the client may be told at its redirect URI. */
export class AuthorizationError extends OAuthError {
  readonly target: ResponseTarget

  constructor(code: string, description: string, target: ResponseTarget) {
    super(code, description)
    this.name = 'AuthorizationError'
    this.target = target
  }
}

const flowRefusal = 'Client is not allowed to initiate browser login with given response_type.'
const flowDisabled = 'flow is disabled for the client.'

/**
 * Checks an authorization request in Keycloak's order (AuthorizationEndpoint, AuthorizationEndpointChecker).
 * @throws PageError while it is not certain that the redirect URI is the client's, AuthorizationError afterwards.
 */
export function checkAuthorizationRequest(parameters: URLSearchParams, realm: Realm): AuthorizationRequest {
  const client = checkClient(parameters, realm)
  const maxAge = checkMaxAge(parameters)
  const redirectUri = checkRedirectUri(parameters, client)
  const target = checkResponse(parameters, redirectUri)
  const refuse = (code: string, description: string): never => {
    throw new AuthorizationError(code, description, target)
  }
  const text = (name: string) => parameters.get(name) ?? undefined

  if (!client.standardFlowEnabled) {
    refuse('unauthorized_client', `${flowRefusal} Standard ${flowDisabled}`)
  }
  if (repeatedField(parameters) !== undefined) refuse('invalid_request', 'duplicated parameter')
  if (parameters.has('request')) refuse('request_not_supported', '')
  if (parameters.has('request_uri')) refuse('request_uri_not_supported', '')
  const scope = text('scope')
  if (scope !== undefined && !isValidScope(client, scope)) refuse('invalid_scope', `Invalid scopes: ${scope}`)
  const challenge = checkChallenge(parameters, client, refuse)

  return {
    ...target,
    clientId: client.clientId,
    prompts: (text('prompt') ?? '').split(' ').filter((prompt) => prompt !== ''),
    ...(scope === undefined ? {} : { scope }),
    ...optional('nonce', text('nonce')),
    ...optional('loginHint', text('login_hint')),
    ...optional('sentRedirectUri', text('redirect_uri')),
    ...(maxAge === undefined ? {} : { maxAge }),
    ...(challenge === undefined ? {} : { challenge }),
  }
}

function checkClient(parameters: URLSearchParams, realm: Realm): Client {
  const clientId = parameters.get('client_id')
  if (clientId === null) throw new PageError('Missing parameters: client_id')
  const client = parameters.getAll('client_id').length === 1 ? realm.model.clients.get(clientId) : undefined
  if (client?.protocol !== 'openid-connect') throw new PageError('Client not found.')
  if (!client.enabled) throw new PageError('Client disabled.')
  if (client.bearerOnly) {
    const message = 'Bearer-only applications are not allowed to initiate browser login.'
    throw new PageError(message, { status: 403 })
  }
  return client
}

function checkMaxAge(parameters: URLSearchParams): number | undefined {
  const maxAge = parameters.get('max_age')
  if (maxAge === null) return undefined
  if (!/^\d{1,9}$/.test(maxAge)) throw new PageError('Invalid Request')
  return Number(maxAge)
}

function checkRedirectUri(parameters: URLSearchParams, client: Client): string {
  const given = parameters.get('redirect_uri') ?? undefined
  const resolved = resolveRedirect(given, client)
  if (resolved === undefined) {
    const detail = `got \`${given ?? ''}\`; registered for \`${client.clientId}\`: ${client.redirectUris.join(' ')}`
    throw new PageError('Invalid parameter: redirect_uri', { detail })
  }
  return resolved
}

const implicitTypes = ['token', 'id_token']

function checkResponse(parameters: URLSearchParams, redirectUri: string): ResponseTarget {
  const asked = parameters.get('response_mode')
  const types = parameters.get('response_type')?.split(' ')
  const isImplicit = types?.some((type) => implicitTypes.includes(type)) ?? false
  const known = responseModes.find((mode) => mode === asked)
  const state = parameters.get('state') ?? undefined
  const target = responseTarget({ redirectUri, state, mode: known ?? (isImplicit ? 'fragment' : 'query') })

  if (!types) throw new AuthorizationError('invalid_request', 'Missing parameter: response_type', target)
  const isKnown = types.every((type) => type === 'code' || implicitTypes.includes(type))
  if (!isKnown) throw new AuthorizationError('unsupported_response_type', '', target)
  if (asked !== null && known === undefined) {
    throw new AuthorizationError('invalid_request', 'Invalid parameter: response_mode', { ...target, mode: 'query' })
  }
  if (isImplicit) throw new AuthorizationError('unauthorized_client', `${flowRefusal} Implicit ${flowDisabled}`, target)
  return target
}

function checkChallenge(
  parameters: URLSearchParams,
  client: Client,
  refuse: (code: string, description: string) => never,
): CodeChallenge | undefined {
  const challenge = parameters.get('code_challenge')
  const method = parameters.get('code_challenge_method')
  const demanded = client.attributes['pkce.code.challenge.method'] || undefined
  if (challenge === null) {
    return method === null && demanded === undefined
      ? undefined
      : refuse('invalid_request', 'Missing parameter: code_challenge')
  }
  // RFC 7636 §4.3: `plain` where no method is named; a client that must use S256 may not fall back to it.
  const used = method ?? 'plain'
  if ((used !== 'S256' && used !== 'plain') || (demanded !== undefined && demanded !== used)) {
    return refuse('invalid_request', 'Invalid parameter: code_challenge_method')
  }
  if (!/^[A-Za-z0-9\-._~]{43,128}$/.test(challenge))
    return refuse('invalid_request', 'Invalid parameter: code_challenge')
  return { challenge, method: used }
}

function optional<Name extends string>(name: Name, value: string | undefined): { [Key in Name]?: string } {
  return (value === undefined ? {} : { [name]: value }) as { [Key in Name]?: string } // one key or none
}
