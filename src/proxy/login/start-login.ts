import { formatSetCookie } from '../../http/cookies.ts'
import { GatehouseError } from '../../kit/errors.ts'
import { redirectAnswer, setCookieHeaders } from '../answers.ts'
import type { CheckAnswer, CheckRequest } from '../check.ts'
import { csrfCookieAttributes } from '../cookie-attributes.ts'
import type { ProxyCore } from '../core.ts'
import type { ProviderChoice } from '../provider/open-providers.ts'
import { clearCsrfCookies, hashOf, newPendingLogin, sealPendingLogin, surplusCsrfCookies } from './csrf-cookie.ts'
import { loginFailure } from './login-failure.ts'
import type { LoginPurpose } from './login-purpose.ts'
import { formatState } from './login-state.ts'

/** Logins in progress one browser may have at once. */
const defaultPendingLimit = 5

/** How a login begins. */
export interface LoginStart {
  /** Where it leads. */
  readonly target: string
  /** The only one unless told. */
  readonly provider?: ProviderChoice | undefined
  /** It replaces one whose cookie was gone. */
  readonly isRestarted?: boolean
  /** Leaves `prompt` out. */
  readonly withoutPrompt?: boolean
  /** The query of `/oauth2/start`, of which the configuration may allow some. */
  readonly wishes?: URLSearchParams
  /** Whom the session is for, where that is not the browser. */
  readonly purpose?: LoginPurpose
}

/** Sends the browser to the provider, with a cookie that remembers this login (oauthproxy.go `doOAuthStart`). */
export async function startLogin(request: CheckRequest, core: ProxyCore, start: LoginStart): Promise<CheckAnswer> {
  const { config, provider: providers, random, csrf } = core
  const { target, isRestarted = false, withoutPrompt = false, wishes = new URLSearchParams() } = start
  if (!core.state.isUp()) {
    const cause = new GatehouseError('store_unavailable', 'a session could not be kept at the moment')
    return loginFailure(request, core, { cause, target })
  }
  const isSeveral = providers.choices.length > 1
  const choice = start.provider ?? providers.choices[0]
  const { purpose } = start
  const fresh = newPendingLogin(random, isSeveral ? choice?.id : undefined)
  const login = purpose ? { ...fresh, purpose } : fresh
  const place = isSeveral ? { place: providers.choices.findIndex(({ id }) => id === choice?.id) } : {}
  const state = formatState({ hash: hashOf(login.state), target, isRestarted, ...place }, config.encode_state)
  const redirectUri = redirectUriFor(request, core)
  let location: string
  try {
    location = await providers.authorizationUrl(login, {
      state,
      redirectUri,
      withoutPrompt,
      wishes,
      isOffline: purpose !== undefined,
    })
  } catch (cause) {
    if (!(cause instanceof GatehouseError)) throw cause
    return loginFailure(request, core, { cause, target })
  }
  const attributes = csrfCookieAttributes(config, request.host)
  const { name, value } = sealPendingLogin(login, csrf)
  const limit = config.cookie_csrf_per_request_limit || (config.compat ? undefined : defaultPendingLimit)
  const isLimited = limit !== undefined && !csrf.isShared
  const piled = isLimited ? surplusCsrfCookies(request.headers['cookie'], { ...csrf, limit }) : []
  const surplus = piled.filter((one) => one !== name)
  const cookies = [formatSetCookie(name, value, attributes), ...clearCsrfCookies(surplus, attributes)]
  return redirectAnswer(location, setCookieHeaders(cookies))
}

/** The redirect URI both requests of a login name (oauthproxy.go `getOAuthRedirectURI`). */
export function redirectUriFor(request: CheckRequest, core: ProxyCore): string {
  const { config, callbackPath } = core
  const { redirect_url: configured, relative_redirect_url: isRelative } = config
  if (/^https?:\/\//.test(configured)) return withPath(configured, callbackPath)
  if (isRelative) return configured || callbackPath
  return publicOrigin(request, core) + callbackPath
}

/** A URL that is nothing but an origin gets this path (oauthproxy.go `NewOAuthProxy`). */
export function withPath(url: string, path: string): string {
  return /^[a-z]+:\/\/[^/?#]+$/.test(url) ? url + path : url
}

/** The origin the visitor sees, where no setting says it: by `Host`, or by what a trusted proxy forwards. */
export function publicOrigin({ host, headers, clientAddress }: CheckRequest, core: ProxyCore): string {
  const isTrusted = core.isTrustedProxy(clientAddress)
  const forwardedScheme = isTrusted ? headers['x-forwarded-proto'] : undefined
  const scheme = core.config.cookie_secure ? 'https' : forwardedScheme === 'https' ? 'https' : 'http'
  return `${scheme}://${(isTrusted && headers['x-forwarded-host']) || host}`
}
