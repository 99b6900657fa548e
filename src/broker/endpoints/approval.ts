import { readForm } from '../../http/forms.ts'
import type { RequestContext } from '../../http/part.ts'
import { pageResponse } from '../../http/views/page.ts'
import { isEqualSecret } from '../../oauth/pkce.ts'
import type { Broker } from '../broker.ts'
import { browserCookies } from '../browser-cookies.ts'
import { answerClient, approvalHmac } from '../finish-login.ts'
import type { PendingApproval } from '../grant.ts'
import { isOfBrowser } from '../login-state.ts'
import { approvalPage } from '../pages/approval-page.ts'
import { lookOf } from '../pages/look.ts'
import { errorTexts, showError } from '../show-error.ts'
import { answerDenied } from './callback.ts'

/**
 * `/approval?req=…&hmac=…` (dex server/handlers.go `handleApproval`). The URL works in the browser that signed in only
 * (Dex CVE-2022-39222: whoever learned another's approval URL could take the code). Anything but `approval=approve`
 * tells the client `access_denied`, where Dex shows a dead end.
 */
export async function handleApproval(broker: Broker, request: Request, context: RequestContext): Promise<Response> {
  const { searchParams } = new URL(request.url)
  const form = request.method === 'POST' ? await readForm(request) : new URLSearchParams()
  const hmac = form.get('hmac') ?? searchParams.get('hmac') ?? ''
  const id = form.get('req') ?? searchParams.get('req') ?? ''
  const unauthorized = () => showError(broker, context, { status: 401, message: 'Unauthorized request' })
  if (hmac === '') return unauthorized()
  const pending = await broker.approvals.find(id)
  if (!pending) return showError(broker, context, { status: 400, message: errorTexts.session })
  if (!isEqualSecret(hmac, approvalHmac(id, pending.hmacKey))) return unauthorized()
  if (!isOfBrowser(pending.browser, browserCookies(request))) return unauthorized()
  if (request.method === 'GET') return showApproval(broker, pending, { id, hmac, context })
  if (request.method !== 'POST') return showError(broker, context, { status: 400, message: errorTexts.method })
  if (!(await broker.approvals.delete(id))) {
    return showError(broker, context, { status: 400, message: errorTexts.session, restart: pending.grant.request })
  }
  if (form.get('approval') !== 'approve') return answerDenied(pending.grant.request)
  return answerClient(broker, pending.grant, context)
}

function showApproval(
  broker: Broker,
  { grant }: PendingApproval,
  { id, hmac, context }: { id: string; hmac: string; context: RequestContext },
): Promise<Response> {
  const { clientId, scopes } = grant.request
  const { email, username } = grant.identity
  return pageResponse(
    approvalPage({
      action: `${broker.issuer.path}/approval?${new URLSearchParams({ req: id, hmac })}`,
      approvalId: id,
      username: email || username,
      clientName: broker.clients.get(clientId)?.name ?? clientId,
      scopes,
      ...lookOf(broker, context.requestId),
    }),
  )
}
