import { createHmac } from 'node:crypto'
import type { RequestContext } from '../http/part.ts'
import { pageResponse } from '../http/views/page.ts'
import { randomText } from '../kit/random.ts'
import { redirectTo, withFragment, withQuery } from '../oauth/responses.ts'
import type { Broker } from './broker.ts'
import { sessionCookies, sessionSetCookie } from './browser-cookies.ts'
import { codeKey } from './code-key.ts'
import type { Authentication } from './connectors/connector.ts'
import type { Grant } from './grant.ts'
import { subjectOf } from './issue-tokens.ts'
import type { LoginState } from './login-state.ts'
import { opaqueId } from './opaque-id.ts'
import { codePage } from './pages/code-page.ts'
import { lookOf } from './pages/look.ts'
import { outOfBandUri } from './redirect-uris.ts'
import { restartUrl } from './show-error.ts'

/** RFC 6749 §4.1.2 recommends ten minutes; Dex gives thirty and clients have come to rely on it. Milliseconds. */
const codeLifetime = 30 * 60_000

/**
 * Someone has authenticated: from here on things are stored. An attempt is finished once; then comes the approval page,
 * or the answer to the client where approval is skipped.
 */
export async function finishLogin(
  broker: Broker,
  request: Request,
  { login, authentication, context }: { login: LoginState; authentication: Authentication; context: RequestContext },
): Promise<Response> {
  const { clock, config, log } = broker
  const isFirst = await broker.finishedAttempts.create(login.attemptId, true, clock.now() + config.expiry.authRequests)
  // The back button: the same person, authenticated again. A new attempt goes through without a question.
  if (!isFirst) return redirectTo(restartUrl(broker, login.request), 303)
  const { grant, setCookie } = await grantFor(broker, request, { login, authentication })
  log.info('signed in', {
    requestId: context.requestId,
    connector: login.connectorId,
    clientId: login.request.clientId,
    email: grant.identity.email,
    groups: grant.identity.groups.length,
  })
  const skips = config.oauth2.skipApprovalScreen && !login.request.forceApproval
  const response = skips
    ? await answerClient(broker, grant, context)
    : await askApproval(broker, { grant, browser: login.browser })
  if (setCookie !== undefined) response.headers.append('set-cookie', setCookie)
  return response
}

async function grantFor(
  broker: Broker,
  request: Request,
  { login, authentication }: { login: LoginState; authentication: Authentication },
): Promise<{ grant: Grant; setCookie: string | undefined }> {
  const { identity, connectorData, upstreamIdToken, upstreamSession } = authentication
  const { connectorId } = login
  const session = await broker.sessions?.begin(
    { connectorId, userId: identity.userId, clientId: login.request.clientId, upstreamIdToken, upstreamSession },
    sessionCookies(broker, request),
  )
  const grant: Grant = {
    request: login.request,
    connectorId,
    identity,
    ...(connectorData === undefined ? {} : { connectorData: broker.atRest.seal(connectorData) }),
    ...(session && !login.request.isOwnSession ? { sid: session.sid } : {}),
  }
  return { grant, setCookie: session && sessionSetCookie(broker, session.cookie) }
}

async function askApproval(
  { approvals, issuer, random, clock, config }: Broker,
  { grant, browser }: { grant: Grant; browser: string },
): Promise<Response> {
  const id = randomText(random, 16)
  const hmacKey = randomText(random, 32)
  await approvals.create(id, { grant, browser, hmacKey }, clock.now() + config.expiry.authRequests)
  const query = new URLSearchParams({ req: id, hmac: approvalHmac(id, hmacKey) })
  return redirectTo(`${issuer.path}/approval?${query}`, 303)
}

/** Proves that an approval URL came from here (dex server/handlers.go: HMAC-SHA256, unpadded base64url). */
export function approvalHmac(id: string, hmacKey: string): string {
  return createHmac('sha256', hmacKey).update(id).digest('base64url')
}

/** The authorization response (RFC 6749 §4.1.2; OpenID Connect Core §3.2.2.5 and §3.3.2.5 for the other flows). */
export async function answerClient(broker: Broker, grant: Grant, context: RequestContext): Promise<Response> {
  const { request } = grant
  const code = request.responseTypes.includes('code') ? await mintCode(broker, grant) : undefined
  if (request.redirectUri === outOfBandUri) {
    const clientName = broker.clients.get(request.clientId)?.name ?? request.clientId
    return pageResponse(codePage({ code: code ?? '', clientName, ...lookOf(broker, context.requestId) }))
  }
  if (request.responseTypes.every((type) => type === 'code')) {
    return redirectTo(withQuery(request.redirectUri, { code, state: request.state }), 303)
  }
  const tokens = await broker.issueTokens(subjectOf(grant), code === undefined ? {} : { code })
  const hasIdToken = request.responseTypes.includes('id_token')
  return redirectTo(
    withFragment(request.redirectUri, {
      access_token: tokens.accessToken,
      ...(code === undefined ? {} : { code }),
      // Dex sends it in the implicit flow only (dex server/handlers.go `sendCodeResponse`).
      ...(code === undefined && hasIdToken ? { expires_in: String(tokens.expiresIn) } : {}),
      ...(hasIdToken ? { id_token: tokens.idToken } : {}),
      state: request.state,
      token_type: 'bearer',
    }),
    303,
  )
}

async function mintCode({ codes, random, clock }: Broker, grant: Grant): Promise<string> {
  const code = opaqueId(random)
  await codes.create(codeKey(code), grant, clock.now() + codeLifetime)
  return code
}
