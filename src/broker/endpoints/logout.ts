import type { RequestContext } from '../../http/part.ts'
import { pageResponse } from '../../http/views/page.ts'
import { redirectTo, withQuery } from '../../oauth/responses.ts'
import type { Broker } from '../broker.ts'
import { sessionCookies, sessionSetCookie } from '../browser-cookies.ts'
import { ConnectorError, type LogoutCapability } from '../connectors/connector.ts'
import { endSession } from '../end-session.ts'
import { type LogoutHint, readLogoutHint } from '../logout-hint.ts'
import type { LogoutDestination } from '../logout-state.ts'
import { confirmLogoutPage, signedOutPage } from '../pages/logout-pages.ts'
import { lookOf } from '../pages/look.ts'
import { requestParameters } from '../request-parameters.ts'

/** A sign-out that may go ahead: which session, and where to afterwards. */
interface Logout {
  readonly sid: string
  readonly connectorId: string
  readonly destination: LogoutDestination
}

/**
 * `/logout` (OpenID Connect RP-Initiated Logout 1.0). A hint that fits this browser's session, or an unexpired one
 * where the browser has none, signs out at once; anything else asks first, so that no foreign site can sign anyone out.
 */
export async function handleLogout(broker: Broker, request: Request, context: RequestContext): Promise<Response> {
  const parameters = await requestParameters(request)
  const current = await broker.sessions?.ofCookies(sessionCookies(broker, request))
  if (request.method === 'POST' && parameters.has('confirm')) {
    const confirmed = broker.logouts.openConfirmation(parameters.get('confirm') ?? '')
    if (current && confirmed?.sid === current.sid) {
      const { connectorId } = current.session
      if (confirmed.namedSid !== undefined) await endSession(broker, confirmed.namedSid)
      return signOut(broker, { sid: current.sid, connectorId, destination: confirmed.destination }, context)
    }
  }
  const hint = await readLogoutHint(broker, parameters.get('id_token_hint') ?? '')
  const destination = destinationOf(broker, { hint, parameters })
  const isTrusted = hint && (current ? current.sid === hint.sid : !hint.isExpired)
  if (isTrusted) return signOut(broker, { sid: hint.sid, connectorId: hint.connectorId, destination }, context)
  if (!current) return showSignedOut(broker, context, {})
  return pageResponse(
    confirmLogoutPage({
      action: `${broker.issuer.path}/logout`,
      confirmation: broker.logouts.sealConfirmation({
        sid: current.sid,
        ...(hint ? { namedSid: hint.sid } : {}),
        destination,
      }),
      clientName: broker.clients.get(destination.clientId ?? '')?.name,
      ...lookOf(broker, context.requestId),
    }),
  )
}

/** `/logout/callback`: back from the identity provider; on to where the client wanted. */
export async function handleLogoutCallback(
  broker: Broker,
  request: Request,
  context: RequestContext,
): Promise<Response> {
  const state = new URL(request.url).searchParams.get('state') ?? ''
  const destination = broker.logouts.openDestination(state)
  return destination?.redirectUri === undefined ? showSignedOut(broker, context, {}) : sendOn(destination)
}

/** Where the client wants the visitor afterwards; only one of its registered texts is ever followed. */
function destinationOf(
  { clients, log }: Broker,
  { hint, parameters }: { hint: LogoutHint | undefined; parameters: URLSearchParams },
): LogoutDestination {
  const clientId = hint?.clientId ?? parameters.get('client_id') ?? undefined
  const redirectUri = parameters.get('post_logout_redirect_uri')
  const client = clientId === undefined ? undefined : clients.get(clientId)
  if (!client) return {}
  if (redirectUri === null || redirectUri === '') return { clientId: client.id }
  if (!client.postLogoutRedirectURIs.includes(redirectUri)) {
    log.warn('post_logout_redirect_uri is not registered; it is not followed', { clientId: client.id, redirectUri })
    return { clientId: client.id }
  }
  const state = parameters.get('state')
  return { clientId: client.id, redirectUri, ...(state === null ? {} : { state }) }
}

/** Ends the session here, then at the identity provider where it can be ended there. */
async function signOut(
  broker: Broker,
  { sid, connectorId, destination }: Logout,
  context: RequestContext,
): Promise<Response> {
  const ended = await endSession(broker, sid)
  broker.log.info('signed out', {
    requestId: context.requestId,
    connector: connectorId,
    clientId: destination.clientId,
  })
  const connector = broker.connectors.find(({ id }) => id === connectorId)
  const response = connector?.logout ? await goUpstream(connector.logout) : await finish()
  response.headers.append('set-cookie', sessionSetCookie(broker, undefined))
  return response

  async function goUpstream(logout: LogoutCapability): Promise<Response> {
    try {
      const location = await logout.logoutUrl({
        idTokenHint: ended?.upstreamIdToken,
        state: broker.logouts.sealDestination(destination),
      })
      return location === undefined ? await finish() : redirectTo(location, 303)
    } catch (error) {
      if (!(error instanceof ConnectorError)) throw error
      broker.log.error('connector failed', { requestId: context.requestId, connector: connectorId, error })
      return showSignedOut(broker, context, { unreached: connector?.name })
    }
  }
  async function finish(): Promise<Response> {
    return destination.redirectUri === undefined ? showSignedOut(broker, context, {}) : sendOn(destination)
  }
}

function sendOn({ redirectUri = '', state }: LogoutDestination): Response {
  return redirectTo(state === undefined ? redirectUri : withQuery(redirectUri, { state }), 303)
}

function showSignedOut(
  broker: Broker,
  { requestId }: RequestContext,
  { unreached }: { unreached?: string | undefined },
): Promise<Response> {
  return pageResponse(signedOutPage({ unreached, ...lookOf(broker, requestId) }))
}
