import { isInScope } from '../access-tokens/path-scope.ts'
import { signedInAnswer, textAnswer } from '../answers.ts'
import type { CheckAnswer } from '../check.ts'
import type { ProxyCore } from '../core.ts'
import { meetsQueryConstraints } from '../query-constraints.ts'
import type { Session } from '../session.ts'
import type { EndpointInput } from './endpoint.ts'

/**
 * `/oauth2/auth`, for nginx `auth_request` and its like (oauthproxy.go `AuthOnly`): 202 with the identity headers, 401
 * for everyone who is not signed in or not allowed, 403 where only the query's constraints fail. Never a redirect.
 */
export async function authOnly({ request, lookUp }: EndpointInput, core: ProxyCore): Promise<CheckAnswer> {
  const { rules, identityHeaders, config } = core
  const lookup = await lookUp()
  if (lookup.kind === 'bad-bearer') return textAnswer(403, 'Forbidden')
  if (lookup.kind === 'session' && isOutOfScope(lookup.session, forwardedPath(core, request))) {
    return textAnswer(403, 'Forbidden')
  }
  const session = lookup.kind === 'session' && rules.mayEnter(lookup.session) ? lookup.session : undefined
  if (session && !meetsQueryConstraints(session, request.path, !config.compat)) return textAnswer(403, 'Forbidden')
  const known = lookup.kind === 'session' ? lookup.authAnswer : undefined
  if (session) return known ?? signedInAnswer(identityHeaders(session))
  if (rules.isSkipped(request.method, forwardedPath(core, request)) || rules.isTrustedClient(request))
    return { status: 202, headers: [], body: '' }
  return lookup.kind === 'unavailable' ? textAnswer(503, 'Service Unavailable') : textAnswer(401, 'Unauthorized')
}

/** A token for some paths is good only where it is known which path is asked about; ours is in none of them. */
function isOutOfScope({ scope }: Session, path: string): boolean {
  return scope !== undefined && !isInScope(scope, path)
}

/** The path that is asked about: of the request in front, where a trusted proxy says it. */
function forwardedPath(
  { isTrustedProxy }: ProxyCore,
  { headers, clientAddress, path }: EndpointInput['request'],
): string {
  return (isTrustedProxy(clientAddress) && headers['x-forwarded-uri']) || path
}
