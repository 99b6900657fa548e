import type { RequestContext } from '../http/part.ts'
import { errorPage } from '../http/views/error-page.ts'
import { pageResponse } from '../http/views/page.ts'
import type { AuthRequest } from './auth-request.ts'
import type { Broker } from './broker.ts'
import { authQuery } from './login-state.ts'
import { lookOf } from './pages/look.ts'

/** Dex's texts; generic on purpose (dex server/handlers.go). */
export const errorTexts = {
  session: 'User session error.',
  noResource: 'Requested resource does not exist.',
  method: 'Unsupported request method.',
  authentication: 'Authentication failed. Please contact your administrator or try again later.',
  groups: 'You are not a member of any of the required groups to authenticate.',
} as const

/** An error for a person to read. With `restart` the page offers to begin that sign-in again. */
export function showError(
  broker: Broker,
  { requestId }: Partial<RequestContext>,
  { status, message, advice, restart }: { status: number; message: string; advice?: string; restart?: AuthRequest },
): Promise<Response> {
  broker.log.debug('request refused', { requestId, status, reason: message })
  const href = restart && restartUrl(broker, restart)
  return pageResponse(
    errorPage({
      title: titles[status] ?? 'Something went wrong',
      message,
      ...(advice === undefined ? {} : { advice }),
      ...(href === undefined ? {} : { action: { href, text: 'Start again' } }),
      ...lookOf(broker, requestId),
    }),
    { status },
  )
}

/** Where a sign-in begins again. */
export function restartUrl({ issuer }: Pick<Broker, 'issuer'>, request: AuthRequest): string {
  return `${issuer.path}/auth?${authQuery(request)}`
}

const titles: Readonly<Record<number, string>> = {
  400: 'This sign-in cannot go on',
  401: 'Not allowed',
  403: 'You do not have access',
  404: 'Not found',
  413: 'Too large',
  500: 'Sign-in failed',
  503: 'Sign-in is not available right now',
}
