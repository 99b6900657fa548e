import { setCookieHeaders } from './answers.ts'
import type { CheckRequest } from './check.ts'
import type { ProxyCore } from './core.ts'
import { clearedSession } from './login/finish-login.ts'
import type { Session } from './session.ts'

/**
 * Logs that a session is not one of those who may enter. It stays, so that its user can end the provider's session, too,
 * and come back as somebody else; with `compat` it ends here, as in oauth2-proxy (oauthproxy.go
 * `getAuthenticatedSession`). @returns headers for the answer
 */
export async function denySession(request: CheckRequest, session: Session, core: ProxyCore): Promise<string[]> {
  const { config, log, rules, sessions } = core
  const { email = '', user = '' } = session
  log.info('session denied', { requestId: request.requestId, email: email || user, reason: rules.whyNot(session) })
  if (!config.compat) return []
  await sessions.drop(request.headers['cookie'])
  return setCookieHeaders(clearedSession(request, core))
}
