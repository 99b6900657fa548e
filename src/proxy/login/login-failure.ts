import type { GatehouseError } from '../../kit/errors.ts'
import { pageAnswer } from '../answers.ts'
import type { CheckAnswer, CheckRequest } from '../check.ts'
import type { ProxyCore } from '../core.ts'
import { loginErrorPage } from '../pages/notice-pages.ts'

/** What a failure means to the visitor; unknown ones are told as the provider's. */
const failures: Readonly<Record<string, { status: number; message: string; advice: string }>> = {
  provider_unavailable: {
    status: 503,
    message: 'The sign-in provider does not answer.',
    advice: 'Try again in a moment. If it stays like this, tell your administrator.',
  },
  store_unavailable: {
    status: 503,
    message: 'Sessions cannot be kept at the moment.',
    advice: 'Try again in a moment. If it stays like this, tell your administrator.',
  },
  not_admitted: {
    status: 403,
    message: 'This account may not sign in here.',
    advice: 'Ask an administrator for access, or sign in with another account.',
  },
  cancelled: {
    status: 403,
    message: 'The sign-in was cancelled, or the sign-in provider does not allow this account to use the platform.',
    advice: 'Try again, or ask an administrator for access.',
  },
  mixed_up: {
    status: 403,
    message: 'This answer is not from the provider the sign-in began at.',
    advice: 'Start again, and tell your administrator if it happens twice.',
  },
  nonce_mismatch: {
    status: 403,
    message: 'The sign-in provider answered for another sign-in than this one.',
    advice: 'Start again, and tell your administrator if it happens twice.',
  },
  no_csrf_cookie: {
    status: 403,
    message: 'Login Failed: Unable to find a valid CSRF token.',
    advice: 'Please try again.',
  },
  email_not_verified: {
    status: 403,
    message: 'The e-mail address of this account is not verified.',
    advice: 'Verify it at the sign-in provider, then try again.',
  },
  no_refresh_token: {
    status: 403,
    message: 'The sign-in provider lets no program act for you.',
    advice: 'Ask your administrator to allow this platform the scope offline_access.',
  },
  no_email: {
    status: 403,
    message: 'The sign-in provider sent no e-mail address for this account.',
    advice: 'Add one to the account, or ask an administrator which claim carries it.',
  },
  session_too_large: {
    status: 403,
    message: 'This account is in more groups than a browser can carry in its cookies.',
    advice: 'Ask your administrator to send fewer groups, or to keep sessions in Redis or SQLite (session_store_type).',
  },
  login_expired: {
    status: 403,
    message: 'This sign-in is not the one your browser started, or it is too old.',
    advice: 'Start again. If this happens every time, check that your browser accepts cookies from this site.',
  },
  bad_callback: {
    status: 400,
    message: 'The sign-in provider sent back an answer that cannot be read.',
    advice: 'Start again.',
  },
  provider_error: {
    status: 403,
    message: 'The sign-in provider answered with an error.',
    advice: 'Try again. If it stays like this, tell your administrator.',
  },
  provider_refused: {
    status: 502,
    message: 'The sign-in provider did not complete the sign-in.',
    advice: 'Try again. If it stays like this, tell your administrator.',
  },
}

/** Where the original answers 500, whatever it is (oauthproxy.go `OAuthCallback`). */
const internalErrors: readonly string[] = [
  'bad_callback',
  'email_not_verified',
  'no_email',
  'provider_refused',
  'provider_unavailable',
  'store_unavailable',
]

/** Logs why a login failed and answers with a page that says what to do. */
export async function loginFailure(
  request: CheckRequest,
  { config, log, assetsPath }: ProxyCore,
  { cause, target }: { cause: Pick<GatehouseError, 'code' | 'message' | 'detail'>; target: string },
): Promise<CheckAnswer> {
  const { code, message, detail } = cause
  log.info('sign-in failed', { requestId: request.requestId, reason: code, message, detail })
  const failure = failures[code] ?? failures['provider_refused']
  const { status: ownStatus = 502, ...texts } = failure ?? { message, advice: '' }
  const isInternal = config.compat && (internalErrors.includes(code) || !Object.hasOwn(failures, code))
  const status = isInternal ? 500 : ownStatus
  const told = code === 'not_admitted' ? { ...texts, message: sentence(message) } : texts
  const again = { href: `${config.proxy_prefix}/start?rd=${encodeURIComponent(target)}`, text: 'Try again' }
  // At once it would be the same account again: the provider knows it.
  const another = { href: `${config.proxy_prefix}/sign_out`, text: 'Use another account' }
  const action = faultsOfAccounts.includes(code) ? another : again
  return pageAnswer(loginErrorPage({ ...told, status, action, assetsPath, requestId: request.requestId }))
}

const faultsOfAccounts: readonly string[] = ['not_admitted', 'email_not_verified', 'no_email']

function sentence(message: string): string {
  return `${message.slice(0, 1).toUpperCase()}${message.slice(1)}.`
}
