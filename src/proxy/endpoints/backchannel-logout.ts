import { receiveLogoutForm } from '../../oidc/backchannel-logout.ts'
import { sessionName, subjectName } from '../../oidc/ended-sessions.ts'
import type { LogoutNotice } from '../../oidc/logout-token.ts'
import { answerOfResponse, jsonAnswer } from '../answers.ts'
import type { CheckAnswer } from '../check.ts'
import type { ProxyCore } from '../core.ts'
import { cookieEndsAt } from '../sessions/session-life.ts'
import type { EndpointInput } from './endpoint.ts'

/**
 * `/backchannel-logout`: the provider says that a session has ended (OpenID Connect Back-Channel Logout 1.0). Its cookie
 * is worth nothing from now on, on any replica, nor are its tokens; its open WebSockets are closed.
 */
export async function backchannelLogout({ request, form }: EndpointInput, core: ProxyCore): Promise<CheckAnswer> {
  if (request.method !== 'POST') return jsonAnswer(405, { error: 'invalid_request' }, ['allow', 'POST'])
  const { records, provider, log } = core
  const { requestId } = request
  const used = records.collection<true>('proxy-used-logout-tokens')
  const response = await receiveLogoutForm(form, {
    verify: (token) => provider.verifyLogout(token, used),
    async end(notice) {
      await endNamed(notice, core)
      log.info('signed out by the provider', { requestId, isOneSession: notice.sid !== undefined })
    },
    refused: (reason) => log.warn('logout token refused', { requestId, reason }),
  })
  return answerOfResponse(response)
}

/** The session it names; where it names none, every session of the user that began before it was made. */
async function endNamed({ issuer, sid, subject, issuedAt }: LogoutNotice, core: ProxyCore): Promise<void> {
  const { ended, config, clock } = core
  const ofUser = subject === undefined ? [] : [subjectName(issuer, subject)]
  const names = sid === undefined ? ofUser : [sessionName(issuer, sid)]
  await ended.end({ names, upTo: issuedAt }, cookieEndsAt({ createdAt: clock.now() }, config))
}
