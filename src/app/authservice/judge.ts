import { parseCookies } from '../../http/cookies.ts'
import type { AuthserviceSettings } from '../../proxy/authservice/settings.ts'
import type { CheckAnswer, CheckRequest } from '../../proxy/check.ts'
import type { ProxyConfig } from '../../proxy/config.ts'
import type { ProxyPart } from '../../proxy/open-proxy.ts'

/** The proxy in the manner of oidc-authservice: `answer` for those who ask by HTTP, `check` by gRPC. */
export type Judge = Pick<ProxyPart, 'answer' | 'check' | 'isOwnPath'>

type Answer = CheckAnswer | Promise<CheckAnswer>

const notReady: CheckAnswer = {
  status: 503,
  headers: ['content-type', 'text/plain; charset=utf-8'],
  body: 'OIDC Setup is not complete yet.',
  verdict: 'deny',
}

/**
 * Judges as oidc-authservice does (server.go). There are no probes among the paths, for each of them may be an app's.
 * While the provider is not known only what needs no login passes: Dex may stand behind the same gateway.
 */
export function openJudge(proxy: ProxyPart, config: ProxyConfig, settings: AuthserviceSettings): Judge {
  const outside = compileOutside(proxy, config, settings)
  const anonymous = withoutIdentity(settings)
  const isReady = ({ path }: CheckRequest) => proxy.ready() || proxy.isOwnPath(path)

  function check(sent: CheckRequest): Answer {
    const request = outside(sent)
    return mapped(proxy.check(request), (judged) => (isLeave(judged) || isReady(request) ? judged : notReady))
  }

  return {
    check,
    answer(sent, form) {
      if (form) return proxy.answer(outside(sent), form)
      return mapped(check(sent), (judged) => (isLeave(judged) ? anonymous(judged) : judged))
    },
    isOwnPath: (path) => proxy.isOwnPath(path),
  }
}

function mapped(answer: Answer, change: (answer: CheckAnswer) => CheckAnswer): Answer {
  return answer instanceof Promise ? answer.then(change) : change(answer)
}

function isLeave({ status, verdict }: CheckAnswer): boolean {
  return status === 200 && verdict !== 'deny'
}

/**
 * Who passes without an identity passes with empty headers in its place: a check by HTTP cannot take away those a client
 * made up, it can only overwrite them.
 */
function withoutIdentity({ userIdHeader, groupsHeader }: AuthserviceSettings): (answer: CheckAnswer) => CheckAnswer {
  return (answer) => {
    for (let at = 0; at < answer.headers.length; at += 2) if (answer.headers[at] === userIdHeader) return answer
    return { ...answer, headers: [...answer.headers, userIdHeader, '', groupsHeader, ''] }
  }
}

/**
 * Finds the callback where routes rewrite their prefix to `/`, as Ambassador's and the charm's do: asked about as a check
 * it is the path of the redirect URL, behind the route the path without the prefix. The latter is ours only if the
 * browser has begun a login here: an app may have a callback at that path, too.
 */
function compileOutside(
  proxy: ProxyPart,
  { redirect_url: redirectUrl }: ProxyConfig,
  { prefix, callbackPath }: AuthserviceSettings,
): (request: CheckRequest) => CheckRequest {
  const outerPath = URL.canParse(redirectUrl, 'http://any') ? new URL(redirectUrl, 'http://any').pathname : callbackPath
  const innerPath = callbackPath.startsWith(`${prefix}/`) ? callbackPath.slice(prefix.length) : callbackPath
  if (outerPath === callbackPath && innerPath === callbackPath) return (request) => request
  return (request) => {
    const mark = request.path.indexOf('?')
    const path = mark < 0 ? request.path : request.path.slice(0, mark)
    if (path === callbackPath || (path !== outerPath && path !== innerPath)) return request
    const query = mark < 0 ? '' : request.path.slice(mark)
    const isOurs = path === outerPath || (/[?&]state=/.test(query) && hasLoginUnderWay(request, proxy))
    return isOurs ? { ...request, path: callbackPath + query } : request
  }
}

function hasLoginUnderWay({ headers }: CheckRequest, proxy: ProxyPart): boolean {
  return parseCookies(headers['cookie']).some(([name]) => name.endsWith('_csrf') && proxy.isOwnCookie(name))
}
