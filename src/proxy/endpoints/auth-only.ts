import { isInScope } from '../access-tokens/path-scope.ts'
import { challenge, signedInAnswer, textAnswer } from '../answers.ts'
import { type AskedRequest, askedRequest } from '../asked-request.ts'
import type { CheckAnswer } from '../check.ts'
import type { ProxyCore } from '../core.ts'
import { denySession } from '../deny-session.ts'
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
  const isOpen = isSkipped(asked, core) || rules.isTrustedClient(request)
  const given = lookup.kind === 'session' ? lookup.session : undefined
  const session = given && (rules.mayEnter(given) || (isOpen && config.compat)) ? given : undefined
  if (session && !meetsQueryConstraints(session, request.path, !config.compat)) return textAnswer(403, 'Forbidden')
  const known = lookup.kind === 'session' ? lookup.authAnswer : undefined
  if (session) {
    const { method = request.method, path = request.path } = asked
    const refused = await core.authservice?.refusal({ ...request, method, path }, session)
    return refused ?? known ?? signedInAnswer(identityHeaders(session))
  }
  if (isOpen) return { status: 202, headers: [], body: '' }
  if (lookup.kind === 'unavailable') return textAnswer(503, 'Service Unavailable')
  const cleared = given ? await denySession(request, given, core) : []
  const why = challenge(config, lookup.kind === 'dead-token' ? 'invalid_token' : undefined)
  return textAnswer(401, 'Unauthorized', [...cleared, ...why])
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
