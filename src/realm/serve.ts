import { GatehouseError } from '../kit/errors.ts'
import { OAuthError, oauthErrorResponse } from '../oauth/errors.ts'
import { addCors, preflight } from './cors.ts'
import type { Call, Endpoint } from './endpoints/endpoint.ts'
import type { Client } from './model.ts'
import { PageError } from './page-error.ts'
import { problemPage } from './pages/info-pages.ts'
import { pageAnswer } from './pages/page-answer.ts'
import type { Realm } from './realm.ts'

/** Answers a request to an endpoint of a realm: method, handler, and whatever goes wrong, told in the endpoint's way. */
export async function serve(endpoint: Endpoint, call: Omit<Call, 'calledBy'>, realm: Realm): Promise<Response> {
  const { method } = call.request
  if (method === 'OPTIONS') return preflight(endpoint, call.request)
  const handler =
    method === 'HEAD'
      ? endpoint.methods.GET
      : Object.hasOwn(endpoint.methods, method) && endpoint.methods[method as 'GET']
  if (!handler) return wrongMethod(endpoint)
  let caller: Client | undefined
  const whole: Call = {
    ...call,
    calledBy(client) {
      caller = client
    },
  }
  const response = await answer(() => handler(whole, realm), { endpoint, call: whole, realm })
  addCors(response, { endpoint, request: call.request, caller })
  return method === 'HEAD' ? new Response(null, response) : response
}

function wrongMethod({ wrongMethodStatus }: Endpoint): Response {
  const status = wrongMethodStatus ?? 405
  const error = status === 404 ? 'HTTP 404 Not Found' : 'HTTP 405 Method Not Allowed'
  return Response.json({ error }, { status })
}

async function answer(
  handle: () => Response | Promise<Response>,
  where: { endpoint: Endpoint; call: Call; realm: Realm },
): Promise<Response> {
  try {
    if (!where.realm.model.settings.enabled) throw new PageError('Realm not enabled', { status: 403 })
    return await handle()
  } catch (error) {
    return explain(error, where)
  }
}

async function explain(
  error: unknown,
  { endpoint, call, realm }: { endpoint: Endpoint; call: Call; realm: Realm },
): Promise<Response> {
  const { requestId } = call.context
  if (error instanceof OAuthError) {
    realm.log.info('request refused', {
      requestId,
      path: endpoint.path,
      error: error.code,
      reason: error.message,
      detail: error.detail,
    })
    return oauthErrorResponse(error)
  }
  const { status, code, message, advice } = toProblem(error)
  if (status >= 500) realm.log.error('request failed', { requestId, path: endpoint.path, error })
  else
    realm.log.info('request refused', {
      requestId,
      path: endpoint.path,
      reason: message,
      detail: (error as GatehouseError).detail,
    })
  const response =
    endpoint.audience === 'person'
      ? await pageAnswer(
          problemPage({
            message,
            ...(advice === undefined ? {} : { advice }),
            requestId,
            assetsPath: realm.assetsPath,
          }),
          { status },
        )
      : oauthErrorResponse(new OAuthError(code, message, { status }))
  if (status === 503) response.headers.set('retry-after', '5')
  return response
}

function toProblem(error: unknown): { status: number; code: string; message: string; advice?: string } {
  if (error instanceof PageError) return { status: error.status, code: 'access_denied', message: error.message }
  const code = error instanceof GatehouseError ? error.code : undefined
  if (code === 'overloaded') {
    const message = 'Too many people are signing in at this moment.'
    return { status: 503, code: 'temporarily_unavailable', message, advice: 'Wait a few seconds, then try again.' }
  }
  if (code === 'body_too_large') return { status: 413, code: 'invalid_request', message: 'The request is too large.' }
  return { status: 500, code: 'unknown_error', message: 'For more on this error consult the server log.' }
}
