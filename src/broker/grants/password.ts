import { randomText } from '../../kit/random.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { checkScopes, words } from '../auth-request.ts'
import type { Broker } from '../broker.ts'
import { type Authentication, ConnectorError } from '../connectors/connector.ts'
import type { Grant } from '../grant.ts'
import type { GrantedTokens, GrantRequest } from '../grant-request.ts'
import { subjectOf } from '../issue-tokens.ts'
import { signInByPassword } from '../sign-in-by-password.ts'
import { startFamily } from './start-family.ts'

/** The password grant (RFC 6749 §4.3; dex server/handlers.go `handlePasswordGrant`), through `oauth2.passwordConnector`. */
export async function signInWithPassword(request: GrantRequest): Promise<GrantedTokens> {
  const { broker, client, form } = request
  const scopes = words(form.get('scope') ?? '')
  const complaint = checkScopes(scopes, client, broker)
  if (complaint) throw new OAuthError('invalid_request', complaint.description)
  const connectorId = broker.config.oauth2.passwordConnector
  if (client.allowedConnectors?.includes(connectorId) === false) {
    throw new OAuthError('unauthorized_client', 'This client does not accept the password connector.')
  }
  const authentication = await authenticate(request, connectorId)
  const grant = await grantOf(broker, {
    authentication,
    connectorId,
    request: {
      clientId: client.id,
      redirectUri: '',
      scopes,
      state: '',
      nonce: form.get('nonce') ?? '',
      responseTypes: [],
      forceApproval: false,
      isOwnSession: false,
    },
  })
  const refreshToken = await startFamily(broker, grant, randomText(broker.random, 20))
  return { ...(await broker.issueTokens(subjectOf(grant))), refreshToken }
}

async function authenticate({ broker, form, context }: GrantRequest, connectorId: string): Promise<Authentication> {
  const connector = broker.connectors.find(({ id }) => id === connectorId)
  if (!connector) throw new OAuthError('invalid_request', 'Requested connector does not exist.')
  if (!connector.password) {
    throw new OAuthError('invalid_request', 'Requested password connector does not correct type.')
  }
  const username = form.get('username') ?? ''
  const password = form.get('password') ?? ''
  const outcome = await signInByPassword(broker, connector, { username, password, context }).catch((cause: unknown) => {
    if (cause instanceof ConnectorError) throw new OAuthError('invalid_request', 'Could not login user', { cause })
    throw cause
  })
  if (outcome.kind === 'authenticated') return outcome
  if (outcome.kind === 'too-many') {
    const description = `Too many attempts; try again in ${outcome.waitSeconds} seconds.`
    throw new OAuthError('access_denied', description, { status: 429 })
  }
  throw new OAuthError('access_denied', 'Invalid username or password', { status: 401 })
}

async function grantOf(
  { sessions, atRest }: Broker,
  { authentication, connectorId, request }: { authentication: Authentication } & Pick<Grant, 'connectorId' | 'request'>,
): Promise<Grant> {
  const { identity, connectorData, upstreamIdToken, upstreamSession } = authentication
  const person = { connectorId, userId: identity.userId, clientId: request.clientId }
  const session = await sessions?.begin({ ...person, upstreamIdToken, upstreamSession }, [])
  return {
    request,
    connectorId,
    identity,
    ...(connectorData === undefined ? {} : { connectorData: atRest.seal(connectorData) }),
    ...(session ? { sid: session.sid } : {}),
  }
}
