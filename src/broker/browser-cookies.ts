import { cookieValues, formatSetCookie } from '../http/cookies.ts'
import { type Random, randomText } from '../kit/random.ts'
import type { Broker } from './broker.ts'

/** Ties a sign-in under way to the browser that began it; one for all its tabs. */
const browserCookieName = 'gatehouse_broker'

/** The values of the cookie that names this browser; more than one where another site planted its own. */
export function browserCookies(request: Request): string[] {
  return cookieValues(request.headers.get('cookie'), browserCookieName)
}

/** The browser's cookie, kept or new, and the header that sets it where it is new. */
export function ensureBrowserCookie(
  { issuer, random }: Pick<Broker, 'issuer'> & { random: Random },
  request: Request,
): { readonly value: string; readonly setCookie: string | undefined } {
  const [found] = browserCookies(request)
  if (found !== undefined) return { value: found, setCookie: undefined }
  const value = randomText(random, 16)
  return { value, setCookie: formatSetCookie(browserCookieName, value, attributes(issuer)) }
}

/** The values of the session's cookie. */
export function sessionCookies({ config }: Broker, request: Request): string[] {
  return cookieValues(request.headers.get('cookie'), config.sessions.cookieName)
}

/** Sets the session's cookie; without a value it is removed. */
export function sessionSetCookie({ config, issuer }: Broker, value: string | undefined): string {
  const { cookieName, absoluteLifetime } = config.sessions
  const maxAgeSeconds = value === undefined ? 0 : Math.floor(absoluteLifetime / 1000)
  return formatSetCookie(cookieName, value ?? '', { ...attributes(issuer), maxAgeSeconds })
}

function attributes({ path, isSecure }: Broker['issuer']) {
  return { path: path === '' ? '/' : path, httpOnly: true, secure: isSecure, sameSite: 'Lax' } as const
}
