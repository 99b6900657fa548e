import { bodyFault } from '../http/forms.ts'
import { GatehouseError } from '../kit/errors.ts'
import { OAuthError, oauthErrorResponse } from '../oauth/errors.ts'
import { addCors, preflight } from './cors.ts'
import type { Call, Endpoint, Handler } from './endpoints/endpoint.ts'
import type { Client } from './model.ts'
import { PageError } from './page-error.ts'
import { problemPage } from './pages/info-pages.ts'
import { lookOf } from './pages/look.ts'
import { pageAnswer } from './pages/page-answer.ts'
import type { Realm } from './realm.ts'

/** Answers a request to an endpoint of a realm: method, handler, and whatever goes wrong, told in the endpoint's way. */
export async function serve(endpoint: Endpoint, call: Omit<Call, 'calledBy'>, realm: Realm): Promise<Response> {
  const { request, context } = call
  if (request.method === 'OPTIONS') return preflight(endpoint, request)
  const handler = handlerFor(endpoint, request.method)
  if (!handler) return wrongMethod(endpoint)
  let caller: Client | undefined
  const calledBy = (client: Client) => {
    caller = client
  }
  const log = realm.log.with({ requestId: context.requestId, path: endpoint.path })
  const response = await answer(endpoint, handler, { call: { ...call, calledBy }, realm: { ...realm, log } })
  addCors(response, { endpoint, request, caller })
  return request.method === 'HEAD' ? new Response(null, response) : response
}

function handlerFor({ methods }: Endpoint, method: string): Handler | undefined {
  if (method === 'POST') return methods.POST
  return method === 'GET' || method === 'HEAD' ? methods.GET : undefined
}

function wrongMethod({ wrongMethodStatus }: Endpoint): Response {
  const status = wrongMethodStatus ?? 405
  const error = status === 404 ? 'HTTP 404 Not Found' : 'HTTP 405 Method Not Allowed'
  return Response.json({ error }, { status })
}

async function answer(
  endpoint: Endpoint,
  handler: Handler,
  { call, realm }: { call: Call; realm: Realm },
): Promise<Response> {
  try {
    if (!realm.model.settings.enabled) throw new PageError('Realm not enabled', { status: 403 })
    return await handler(call, realm)
  } catch (error) {
    if (!(error instanceof OAuthError)) return tellProblem(toProblem(error), { error, endpoint, call, realm })
    realm.log.info('request refused', { error: error.code, reason: error.message, detail: error.detail })
    return oauthErrorResponse(error)
  }
}

/** What a person or a program is told of a failure that no protocol has words for. */
interface Problem {
  readonly status: number
  readonly code: string
  readonly message: string
  readonly advice?: string
}

const startAgain =
  'Go back to the application and try again. If it stays so, tell its operator the request number below.'

function toProblem(error: unknown): Problem {
  if (error instanceof PageError) {
    return { status: error.status, code: 'access_denied', message: error.message, advice: startAgain }
  }
  const code = error instanceof GatehouseError ? error.code : undefined
  if (code === 'overloaded') {
    const message = 'Too many people are signing in at this moment.'
    return { status: 503, code: 'temporarily_unavailable', message, advice: 'Wait a few seconds, then try again.' }
  }
  const status = bodyFault(error)
  if (status === 413) return { status, code: 'invalid_request', message: 'The request is too large.' }
  if (status === 400) return { status, code: 'invalid_request', message: 'The request broke off.' }
  return { status: 500, code: 'unknown_error', message: 'For more on this error consult the server log.' }
}

async function tellProblem(
  { status, code, message, advice }: Problem,
  { error, endpoint, call, realm }: { error: unknown; endpoint: Endpoint; call: Call; realm: Realm },
): Promise<Response> {
  if (status === 500) realm.log.error('request failed', { error })
  else realm.log.info('request refused', { reason: message, detail: (error as GatehouseError).detail })
  const { requestId } = call.context
  const props = { ...lookOf(realm), message, requestId, ...(advice === undefined ? {} : { advice }) }
  const response =
    endpoint.audience === 'person'
      ? await pageAnswer(problemPage(props), { status })
      : oauthErrorResponse(new OAuthError(code, message, { status }))
  if (status === 503) response.headers.set('retry-after', '5')
  return response
}
