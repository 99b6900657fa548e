import { GatehouseError } from '../../kit/errors.ts'
import type { TokenWish } from '../access-tokens/token-wish.ts'
import { pageAnswer, setCookieHeaders } from '../answers.ts'
import type { CheckAnswer } from '../check.ts'
import type { ProxyCore } from '../core.ts'
import { deviceAnsweredPage, deviceDonePage, newAccessTokenPage } from '../pages/access-token-pages.ts'
import type { Session } from '../session.ts'
import type { LoginPurpose } from './login-purpose.ts'

/** The scope that makes a sign-in outlast the browser's (OpenID Connect Core §11). */
const offlineScope = 'offline_access'

/**
 * Gives the session of such a login to its program; the browser's own session stays as it is. `cookies`: `Set-Cookie`
 * values that end the login. @throws GatehouseError `no_refresh_token` where the provider gave none.
 */
export async function servePurpose(
  purpose: LoginPurpose,
  session: Session,
  { core, cookies, requestId }: { core: ProxyCore; cookies: readonly string[]; requestId: string },
): Promise<CheckAnswer> {
  const { config, assetsPath, accessTokens, deviceLogins, log } = core
  if (!session.refreshToken) {
    throw new GatehouseError('no_refresh_token', `the provider gave no refresh token for the scope ${offlineScope}`)
  }
  const headers = setCookieHeaders(cookies)
  if (purpose.kind === 'device') {
    const answer = await deviceLogins.approve(purpose.request, session)
    if (answer) return pageAnswer(deviceAnsweredPage({ answer, assetsPath, requestId }), headers)
    log.info('program allowed', { email: session.email, label: purpose.request.wish.label })
    return pageAnswer(deviceDonePage({ isAllowed: true, assetsPath }), headers)
  }
  const { text, token } = await accessTokens.create(session, grantOf(purpose.wish, core.clock.now()))
  log.info('access token created', { email: session.email, label: token.label, paths: token.paths })
  const tokensPath = `${config.proxy_prefix}/tokens`
  return pageAnswer(
    newAccessTokenPage({ text, token, cookieName: config.cookie_name, tokensPath, assetsPath }),
    headers,
  )
}

/** The wish from this moment on, milliseconds since the epoch. */
export function grantOf({ label, paths, lifetimeDays }: TokenWish, now: number) {
  return { label, paths, expiresAt: now + lifetimeDays * 86_400_000 }
}
