import type { RequestContext } from '../../http/part.ts'
import { redirectTo, withQuery } from '../../oauth/responses.ts'
import type { AuthRequest } from '../auth-request.ts'
import type { Broker } from '../broker.ts'
import { browserCookies } from '../browser-cookies.ts'
import { ConnectorError, type Outcome } from '../connectors/connector.ts'
import type { OpenConnector } from '../connectors/index.ts'
import { finishLogin } from '../finish-login.ts'
import type { LoginState } from '../login-state.ts'
import { errorTexts, showError } from '../show-error.ts'

/** A sign-in under way that belongs to this browser and this connector, or the page that says why not. */
export type ResumedLogin =
  | { readonly kind: 'resumed'; readonly login: LoginState; readonly connector: OpenConnector }
  | { readonly kind: 'refused'; readonly response: Promise<Response> }

/**
 * Opens `state` and checks that it is ours, was begun in this browser (against login CSRF, RFC 6749 §10.12), and for
 * the connector whose path this is (against mix-up, RFC 9207 §1).
 */
export function resumeLogin(
  broker: Broker,
  request: Request,
  { state, connectorId, context }: { state: string; connectorId: string | undefined; context: RequestContext },
): ResumedLogin {
  const refuse = (status: number, message: string, more: { advice?: string; restart?: AuthRequest } = {}) =>
    ({ kind: 'refused', response: showError(broker, context, { status, message, ...more }) }) as const
  const login = state === '' ? undefined : broker.logins.open(state)
  if (!login) {
    return refuse(400, errorTexts.session, {
      advice: 'It took too long, or the link is damaged. Go back to the application.',
    })
  }
  if (connectorId !== undefined && connectorId !== login.connectorId) return refuse(500, errorTexts.noResource)
  if (!broker.logins.isFrom(login, browserCookies(request))) {
    broker.log.warn('sign-in of another browser refused', {
      requestId: context.requestId,
      connector: login.connectorId,
    })
    const advice = 'This sign-in was begun in another browser, or cookies are switched off.'
    return refuse(400, errorTexts.session, { advice, restart: login.request })
  }
  const connector = broker.connectors.find(({ id }) => id === login.connectorId)
  return connector ? { kind: 'resumed', login, connector } : refuse(500, errorTexts.noResource)
}

/** `/callback` and `/callback/{connector}`: the visitor is back from the identity provider. */
export async function handleCallback(
  broker: Broker,
  request: Request,
  { connectorId, context }: { connectorId: string | undefined; context: RequestContext },
): Promise<Response> {
  if (request.method !== 'GET') return showError(broker, context, { status: 400, message: 'Method not supported' })
  const parameters = new URL(request.url).searchParams
  const state = parameters.get('state') ?? ''
  const resumed = resumeLogin(broker, request, { state, connectorId, context })
  if (resumed.kind === 'refused') return resumed.response
  const { login, connector } = resumed
  if (!connector.callback) return showError(broker, context, { status: 500, message: errorTexts.noResource })
  try {
    const outcome = await connector.callback.handleCallback(broker.logins.attempt(login, state), parameters)
    return await answerOutcome(broker, request, { outcome, login, connector, context })
  } catch (error) {
    if (!(error instanceof ConnectorError)) throw error
    return showConnectorFailure(broker, error, { connector, restart: login.request, context })
  }
}

async function answerOutcome(
  broker: Broker,
  request: Request,
  {
    outcome,
    login,
    connector,
    context,
  }: { outcome: Outcome; login: LoginState; connector: OpenConnector; context: RequestContext },
): Promise<Response> {
  if (outcome.kind === 'authenticated') return finishLogin(broker, request, { login, authentication: outcome, context })
  const detail = outcome.kind === 'refused' ? outcome.detail : outcome.kind
  broker.log.info('sign-in refused', { requestId: context.requestId, connector: connector.id, detail })
  if (outcome.kind === 'refused' && outcome.reason === 'denied') return answerDenied(login.request)
  return showError(broker, context, { status: 403, message: errorTexts.groups })
}

/** The user said no, here or at the identity provider (RFC 6749 §4.1.2.1). */
export function answerDenied({ redirectUri, state }: AuthRequest): Response {
  const description = 'The user did not allow the sign-in.'
  return redirectTo(withQuery(redirectUri, { error: 'access_denied', error_description: description, state }), 303)
}

/** The identity provider failed: what happened goes to the log, the visitor is told whether trying again may help. */
export function showConnectorFailure(
  broker: Broker,
  error: ConnectorError,
  { connector, restart, context }: { connector: OpenConnector; restart: AuthRequest; context: RequestContext },
): Promise<Response> {
  broker.log.error('connector failed', { requestId: context.requestId, connector: connector.id, error })
  if (error.code === 'connector_unavailable') {
    const message = `${connector.name} cannot be reached right now.`
    return showError(broker, context, {
      status: 503,
      message,
      advice: 'It is tried again by itself; please try again in a moment.',
      restart,
    })
  }
  return showError(broker, context, { status: 500, message: errorTexts.authentication, restart })
}
