import { isInScope } from '../access-tokens/path-scope.ts'
import { challenge, signedInAnswer, textAnswer } from '../answers.ts'
import { type AskedRequest, askedRequest } from '../asked-request.ts'
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
  const asked = askedOf(request, core)
  if (lookup.kind === 'session' && isOutOfScope(lookup.session, asked)) {
    return textAnswer(403, 'Forbidden')
  }
  const session = lookup.kind === 'session' && rules.mayEnter(lookup.session) ? lookup.session : undefined
  if (session && !meetsQueryConstraints(session, request.path, !config.compat)) return textAnswer(403, 'Forbidden')
  const known = lookup.kind === 'session' ? lookup.authAnswer : undefined
  if (session) {
    const { method = request.method, path = request.path } = asked
    const refused = await core.authservice?.refusal({ ...request, method, path }, session)
    return refused ?? known ?? signedInAnswer(identityHeaders(session))
  }
  if (isSkipped(asked, core) || rules.isTrustedClient(request)) return { status: 202, headers: [], body: '' }
  return lookup.kind === 'unavailable'
    ? textAnswer(503, 'Service Unavailable')
    : textAnswer(401, 'Unauthorized', challenge(config, lookup.kind === 'dead-token' ? 'invalid_token' : undefined))
}

/** The request that is asked about, where a trusted proxy says it. The original takes the question itself for it. */
function askedOf(request: EndpointInput['request'], { isTrustedProxy, config }: ProxyCore): AskedRequest {
  const { method, path, headers, clientAddress } = request
  const isTold = isTrustedProxy(clientAddress)
  if (config.compat) return { method, path: (isTold && headers['x-forwarded-uri']) || path }
  return isTold ? askedRequest(request) : { method: undefined, path: undefined }
}

/** A token for some paths is good only where it is known which path is asked about; ours is in none of them. */
function isOutOfScope({ scope }: Session, { path = '' }: AskedRequest): boolean {
  return scope !== undefined && !isInScope(scope, path)
}

/** No rule holds for a path nobody told, none of a certain method (`GET=^/open`) for a method nobody told. */
function isSkipped({ method = '', path }: AskedRequest, { rules }: ProxyCore): boolean {
  return path !== undefined && rules.isSkipped(method, path)
}
