import { assetResponse } from '../../http/views/assets.ts'
import { answerOfResponse, jsonAnswer, noStore, textAnswer } from '../answers.ts'
import type { CheckAnswer } from '../check.ts'
import { type ProxyCore, queryOf } from '../core.ts'
import { denySession } from '../deny-session.ts'
import { finishLogin } from '../login/finish-login.ts'
import { accessTokens } from './access-tokens.ts'
import { authOnly } from './auth-only.ts'
import { backchannelLogout } from './backchannel-logout.ts'
import { device, deviceAuthorization, deviceToken } from './device.ts'
import type { Endpoint, EndpointInput } from './endpoint.ts'
import { forwardAuth } from './forward-auth.ts'
import { signIn, start } from './sign-in.ts'
import { signOut } from './sign-out.ts'
import { signedOut } from './signed-out.ts'
import { siteEndpoint } from './site.ts'
import { verify } from './verify.ts'

/** Under `proxy_prefix`. */
const endpoints: Readonly<Record<string, Endpoint>> = {
  '/start': start,
  '/callback': callback,
  '/sign_in': signIn,
  '/sign_out': signOut,
  '/backchannel-logout': backchannelLogout,
  '/signed_out': ({ request }, core) => signedOut(core, queryOf(request.path)),
  '/userinfo': userinfo,
  '/auth': authOnly,
  '/forward_auth': forwardAuth,
  '/tokens': accessTokens,
  '/device_authorization': deviceAuthorization,
  '/device': device,
  '/device_token': deviceToken,
}

/** The endpoint at this path, if it is one of the proxy's own. */
export function endpointAt(path: string, core: ProxyCore): Endpoint | undefined {
  const { config, callbackPath } = core
  const mark = path.indexOf('?')
  const pathname = mark < 0 ? path : path.slice(0, mark)
  if (pathname === callbackPath) return callback
  if (isDashboardSignOut(pathname, core)) return endpoints['/sign_out']
  if (config.authservice && pathname.startsWith(config.authservice.verifyPath)) return verify
  const prefix = config.proxy_prefix
  if (!pathname.startsWith(prefix)) return undefined
  const name = pathname.slice(prefix.length)
  if (config.authservice && name.startsWith('/site/')) return siteEndpoint(name.slice('/site'.length))
  if (name.startsWith('/static/')) return () => staticFile(name.slice('/static/'.length))
  return Object.hasOwn(endpoints, name) ? endpoints[name] : undefined
}

/**
 * Where Kubeflow's dashboards sign out, besides our own path: up to 1.6, up to 1.9.1, and since. An upstream we forward
 * to has such paths of its own: Grafana, for one, signs out at `/logout`.
 */
function isDashboardSignOut(path: string, { config, isForwarding }: ProxyCore): boolean {
  if (path === '/logout' || path === '/authservice/logout') return !isForwarding
  return path === '/oauth2/sign_out' && config.authservice !== undefined
}

async function staticFile(name: string): Promise<CheckAnswer> {
  const response = assetResponse(name)
  return response.ok ? answerOfResponse(response) : textAnswer(404, '404 page not found', noStore)
}

function callback({ request, form }: EndpointInput, core: ProxyCore): Promise<CheckAnswer> {
  const isPosted = ['state', 'code', 'error'].some((name) => form.has(name))
  return finishLogin(request, core, isPosted ? form : queryOf(request.path))
}

async function userinfo({ request, lookUp }: EndpointInput, core: ProxyCore): Promise<CheckAnswer> {
  const { rules } = core
  const lookup = await lookUp()
  if (lookup.kind === 'session' && rules.mayEnter(lookup.session)) {
    const { user = '', email = '', groups, preferredUsername, additionalClaims } = lookup.session
    const answer = jsonAnswer(200, { user, email, groups, preferredUsername, additionalClaims })
    return { ...answer, body: `${answer.body}\n` } // as Go's encoder ends it
  }
  if (lookup.kind === 'bad-bearer') return textAnswer(403, 'Forbidden', noStore)
  if (lookup.kind === 'unavailable') return textAnswer(503, 'Service Unavailable', noStore)
  if (rules.isSkipped(request.method, request.path) || rules.isTrustedClient(request)) return jsonAnswer(200, {})
  const cleared = lookup.kind === 'session' ? await denySession(request, lookup.session, core) : []
  return textAnswer(401, 'Unauthorized', [...cleared, ...noStore])
}
