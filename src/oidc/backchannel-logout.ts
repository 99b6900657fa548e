import { bodyFault, readForm } from '../http/forms.ts'
import type { LogoutNotice, LogoutTokenOutcome } from './logout-token.ts'

/** What an endpoint does with a logout token: finds out what it says, and ends that. */
export interface LogoutReceiver {
  verify(token: string): Promise<LogoutTokenOutcome>
  end(notice: LogoutNotice): Promise<void>
  /** Told why a token was refused; never the token. */
  refused(reason: string): void
}

/**
 * Takes a logout request (OpenID Connect Back-Channel Logout 1.0 §2.5–2.8): 200 where what it names has ended, known
 * here or not; 400 where it is not believed; 503 where that cannot be found out, so that it is sent again.
 */
export async function receiveLogout(request: Request, receiver: LogoutReceiver): Promise<Response> {
  try {
    return await receiveLogoutForm(await readForm(request), receiver)
  } catch (error) {
    if (bodyFault(error) === undefined) throw error
    return refusal(400, 'invalid_request', 'the body could not be read')
  }
}

/** The same for a form that has been read. */
export async function receiveLogoutForm(form: URLSearchParams, receiver: LogoutReceiver): Promise<Response> {
  const [token, ...others] = form.getAll('logout_token')
  if (token === undefined || others.length > 0)
    return refusal(400, 'invalid_request', 'exactly one logout_token is needed')
  const outcome = await receiver.verify(token)
  if (outcome.kind === 'unavailable')
    return refusal(503, 'temporarily_unavailable', 'the issuer’s keys cannot be had now')
  if (outcome.kind === 'refused') {
    receiver.refused(outcome.reason)
    return refusal(400, 'invalid_request', 'the logout token is not valid')
  }
  await receiver.end(outcome.notice)
  return new Response(null, { status: 200, headers: { 'cache-control': 'no-store' } })
}

function refusal(status: number, error: string, description: string): Response {
  const headers = { 'cache-control': 'no-store', ...(status === 503 ? { 'retry-after': '5' } : {}) }
  return Response.json({ error, error_description: description }, { status, headers })
}
