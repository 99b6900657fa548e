import { isInScope } from '../access-tokens/path-scope.ts'
import { textAnswer } from '../answers.ts'
import type { CheckAnswer } from '../check.ts'
import type { ProxyCore } from '../core.ts'
import type { EndpointInput } from './endpoint.ts'

/**
 * oidc-authservice's `PREFIX/verify`, for nginx `auth_request`: 204 with the identity headers, 401 or 403, never a
 * login. What stands behind it is the path that is asked about.
 */
export async function verify({ request, lookUp }: EndpointInput, core: ProxyCore): Promise<CheckAnswer> {
  const { rules, identityHeaders, config } = core
  const asked = request.path.slice(config.authservice?.verifyPath.length) || '/'
  if (rules.isSkipped(request.method, asked)) return { status: 204, headers: [], body: '' }
  const lookup = await lookUp()
  if (lookup.kind === 'unavailable') return textAnswer(503, 'Service Unavailable')
  if (lookup.kind !== 'session') return textAnswer(401, 'Unauthorized')
  const { scope } = lookup.session
  const isInReach = scope === undefined || isInScope(scope, asked)
  if (!isInReach || !rules.mayEnter(lookup.session)) return textAnswer(403, 'Forbidden')
  const refused = await core.authservice?.refusal({ ...request, path: asked }, lookup.session)
  if (refused) return refused
  return { status: 204, headers: identityHeaders(lookup.session), body: '' }
}
