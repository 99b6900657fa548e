import type { CheckRequest } from '../check.ts'
import { type ProxyCore, queryOf } from '../core.ts'
import { redirectTarget } from '../redirect-target.ts'

/** Where the visitor wants to go, from `rd` or the request (`/` for requests to the proxy itself). */
export function targetOf(request: CheckRequest, form: URLSearchParams, core: ProxyCore): string {
  return redirectTarget(request, {
    rd: form.get('rd') ?? queryOf(request.path).get('rd'),
    isValid: core.isValidRedirect,
    prefix: core.config.proxy_prefix,
    isTrustedProxy: core.isTrustedProxy(request.clientAddress),
  })
}
