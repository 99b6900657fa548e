import type { RequestContext } from '../../http/part.ts'
import { pageResponse } from '../../http/views/page.ts'
import { redirectTo, withQuery } from '../../oauth/responses.ts'
import { type AuthRequest, parseAuthRequest } from '../auth-request.ts'
import type { Broker } from '../broker.ts'
import { ensureBrowserCookie } from '../browser-cookies.ts'
import { ConnectorError } from '../connectors/connector.ts'
import type { OpenConnector } from '../connectors/index.ts'
import { connectorPage } from '../pages/connector-page.ts'
import { lookOf } from '../pages/look.ts'
import { requestParameters } from '../request-parameters.ts'
import { errorTexts, showError } from '../show-error.ts'
import { showConnectorFailure } from './callback.ts'

/**
 * `/auth` (dex server/handlers.go `handleAuthorization`): sends the visitor to the connector asked for, to the only one
 * there is, or shows them all. The request itself is judged at the next step.
 */
export async function chooseConnector(broker: Broker, request: Request, context: RequestContext): Promise<Response> {
  const parameters = await requestParameters(request)
  const wanted = parameters.get('connector_id') ?? ''
  parameters.delete('connector_id')
  parameters.sort()
  const clientId = parameters.get('client_id') ?? ''
  const hrefOf = ({ id }: OpenConnector) => `${broker.issuer.path}/auth/${encodeURIComponent(id)}?${parameters}`
  const offered = broker.connectors.filter(({ id }) => isAllowedFor(broker, clientId, id))
  if (wanted !== '') {
    const found = offered.find(({ id }) => id === wanted)
    if (found) return redirectTo(hrefOf(found))
    return showError(broker, context, { status: 400, message: 'Connector ID does not match a valid Connector' })
  }
  const [only, ...others] = offered
  if (only && others.length === 0 && !broker.config.oauth2.alwaysShowLoginScreen) return redirectTo(hrefOf(only))
  return pageResponse(
    connectorPage({
      choices: offered.map((connector) => ({ name: connector.name, href: hrefOf(connector) })),
      clientName: broker.clients.get(clientId)?.name,
      ...lookOf(broker, context.requestId),
    }),
  )
}

/** `/auth/{connector}`: judges the request, then hands the visitor to the connector (`handleConnectorLogin`). */
export async function startLogin(
  broker: Broker,
  request: Request,
  { connectorId, context }: { connectorId: string; context: RequestContext },
): Promise<Response> {
  const judged = parseAuthRequest(await requestParameters(request), {
    clients: broker.clients,
    connectorIds: broker.connectors.map(({ id }) => id),
    responseTypes: broker.config.oauth2.responseTypes.flatMap((types) => types.split(' ')),
  })
  if (judged.kind === 'shown') return showError(broker, context, judged)
  if (judged.kind === 'redirected') {
    const { redirectUri, state, error, description } = judged
    return redirectTo(withQuery(redirectUri, { error, error_description: description, state }), 303)
  }
  const connector = broker.connectors.find(({ id }) => id === connectorId)
  if (!connector) return showError(broker, context, { status: 400, message: errorTexts.noResource })
  if (!isAllowedFor(broker, judged.request.clientId, connectorId)) {
    const message = `This application does not accept signing in with ${connector.name}.`
    return showError(broker, context, { status: 403, message })
  }
  if (request.method !== 'GET') return showError(broker, context, { status: 400, message: errorTexts.method })
  return sendToConnector(broker, request, { authRequest: judged.request, connector, context })
}

async function sendToConnector(
  broker: Broker,
  request: Request,
  { authRequest, connector, context }: { authRequest: AuthRequest; connector: OpenConnector; context: RequestContext },
): Promise<Response> {
  const { value, setCookie } = ensureBrowserCookie(broker, request)
  const state = broker.logins.begin(authRequest, { connectorId: connector.id, browserCookie: value })
  const location = await locationOf(broker, { connector, state }).catch((error: unknown) => {
    if (error instanceof ConnectorError) return error
    throw error
  })
  if (typeof location !== 'string') {
    return showConnectorFailure(broker, location, { connector, restart: authRequest, context })
  }
  const response = redirectTo(location)
  if (setCookie !== undefined) response.headers.append('set-cookie', setCookie)
  return response
}

async function locationOf(
  { issuer, logins }: Broker,
  { connector, state }: { connector: OpenConnector; state: string },
): Promise<string> {
  const login = logins.open(state)
  if (connector.callback && login) return connector.callback.loginUrl(logins.attempt(login, state))
  return `${issuer.path}/auth/${encodeURIComponent(connector.id)}/login?${new URLSearchParams({ state })}`
}

/** Whether this client accepts that connector (`allowedConnectors`). */
export function isAllowedFor({ clients }: Broker, clientId: string, connectorId: string): boolean {
  return clients.get(clientId)?.allowedConnectors?.includes(connectorId) ?? true
}
