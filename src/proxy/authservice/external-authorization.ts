import type { Fetch } from '../../http/part.ts'
import type { Clock } from '../../kit/clock.ts'
import type { Log } from '../../kit/log.ts'
import { parseJwt } from '../../tokens/jwt.ts'
import { jsonAnswer, pageAnswer } from '../answers.ts'
import type { CheckAnswer, CheckRequest } from '../check.ts'
import { deniedPage } from '../pages/notice-pages.ts'
import { isBackgroundRequest, wantsJson } from '../request-kind.ts'
import type { Session } from '../session.ts'
import type { AuthserviceSettings } from './settings.ts'

const timeoutMilliseconds = 5000
const maxReasonLength = 500

/** Asks about a request of someone who is signed in; `undefined` lets it pass. */
export type AskExternally = (asked: CheckRequest, session: Session) => Promise<CheckAnswer | undefined>

/**
 * `EXTERNAL_AUTHZ_URL` (authorizer/external.go): 2xx lets a request pass, 401 and 403 refuse it and say why, anything
 * else refuses it, too. Each request is asked about: an answer is good for one user, path and method, and may change.
 */
export function openExternalAuthorization({
  settings,
  fetch,
  clock,
  log,
}: {
  readonly settings: AuthserviceSettings
  readonly fetch: Fetch
  readonly clock: Clock
  readonly log: Log
}): AskExternally | undefined {
  const { externalAuthorizationUrl: url } = settings
  if (url === '') return undefined
  return async (asked, session) => {
    const body = JSON.stringify(questionOf(asked, session, new Date(clock.now())))
    try {
      const headers = { 'content-type': 'application/json' }
      const signal = AbortSignal.timeout(timeoutMilliseconds)
      const response = await fetch(url, { method: 'POST', headers, body, redirect: 'error', signal })
      if (response.ok) return undefined
      const text = await response.text()
      const tells = response.status === 401 || response.status === 403
      if (!tells) log.warn('external authorization answered strangely', { url, status: response.status })
      return refusal(asked, session, { reason: tells ? text.trim().slice(0, maxReasonLength) : '', settings })
    } catch (cause) {
      log.warn('external authorization does not answer', { url, cause })
      return refusal(asked, session, { reason: '', settings })
    }
  }
}

/** What is posted, in the original's shape. */
function questionOf({ method, path, host }: CheckRequest, session: Session, now: Date): object {
  const { email = '', user = '', groups = [], authMethod } = session
  const [, name = '', port = '80'] = /^(.*?)(?::(\d+))?$/.exec(host) ?? []
  return {
    timestamp: now.toISOString().replace(/\.\d+Z$/, 'Z'), // RFC 3339, to the second
    user: {
      name: email,
      id: user,
      groups,
      extra: authMethod === undefined ? {} : { 'auth-method': [authMethod] },
      claims: claimsOf(session),
    },
    request: { host: name, port: Number(port), path: path.replace(/\?.*$/s, ''), method },
  }
}

/** The claims of the token the request was proven by; unlike the original's, never of one nobody verified. */
function claimsOf({ authMethod, accessToken = '' }: Session): object | null {
  const jwt = parseJwt(authMethod === 'header' ? accessToken : '')
  return 'malformed' in jwt ? null : jwt.claims
}

async function refusal(
  { headers, requestId }: CheckRequest,
  { email = '' }: Session,
  { reason, settings }: { reason: string; settings: AuthserviceSettings },
): Promise<CheckAnswer> {
  if (wantsJson(headers['accept']) || isBackgroundRequest(headers)) {
    return jsonAnswer(403, { error: 'forbidden', ...(reason === '' ? {} : { reason }) })
  }
  const { prefix } = settings
  const signOutPath = `${prefix}/sign_out`
  return pageAnswer(deniedPage({ who: email, reason, signOutPath, assetsPath: `${prefix}/static`, requestId }))
}
