import type { CookieAttributes } from '../http/cookies.ts'
import type { ProxyConfig } from './typed-config.ts'

const sameSites = { lax: 'Lax', strict: 'Strict', none: 'None' } as const

/** Attributes of the session cookie for a request to `host` (oauth2-proxy pkg/cookies `MakeCookieFromOptions`). */
export function sessionCookieAttributes(config: ProxyConfig, host: string): CookieAttributes {
  const maxAgeSeconds = Math.floor(config.cookie_expire / 1000)
  return {
    ...common(config, host),
    ...(maxAgeSeconds > 0 ? { maxAgeSeconds } : {}),
    httpOnly: config.cookie_httponly,
    secure: config.cookie_secure,
    ...sameSiteOf(config.cookie_samesite, config),
  }
}

/** Attributes of the cookies that carry a login in progress. */
export function csrfCookieAttributes(config: ProxyConfig, host: string): CookieAttributes {
  // An answer posted from the provider's site (`form_post`) would come without a cookie that is Lax.
  const isPosted = config.auth_request_response_mode === 'form_post'
  const fallback = isPosted && config.cookie_secure && !config.compat ? 'none' : ''
  return {
    ...common(config, host),
    maxAgeSeconds: Math.floor(config.cookie_csrf_expire / 1000),
    httpOnly: !config.compat || config.cookie_httponly, // no script has business with a login
    secure: config.cookie_secure,
    ...sameSiteOf(config.cookie_csrf_samesite || config.cookie_samesite || fallback, config),
  }
}

function common(config: ProxyConfig, host: string): Pick<CookieAttributes, 'path' | 'domain'> {
  const domain = cookieDomain(config.cookie_domains, host)
  return { path: config.cookie_path, ...(domain === undefined ? {} : { domain }) }
}

// The original sends no SameSite by default; browsers then mean Lax, less strictly for two minutes.
function sameSiteOf(value: string, { compat }: ProxyConfig): Pick<CookieAttributes, 'sameSite'> {
  const sameSite = sameSites[value as keyof typeof sameSites] ?? (compat ? undefined : 'Lax')
  return sameSite === undefined ? {} : { sameSite }
}

/** The longest configured domain the host lies in, else the shortest (pkg/cookies `GetCookieDomain`). */
function cookieDomain(domains: readonly string[], host: string): string | undefined {
  const longestFirst = domains.toSorted((a, b) => b.length - a.length)
  const domain = longestFirst.find((one) => host.endsWith(one)) ?? longestFirst.at(-1)
  const bare = domain?.replace(/^\./, '')
  return bare === undefined || !/^[A-Za-z0-9.-]+$/.test(bare) ? undefined : bare // Go leaves an invalid one out
}
