import { signedInAnswer, textAnswer } from '../answers.ts'
import { askedRequest } from '../asked-request.ts'
import { type CheckAnswer, type CheckRequest, decide } from '../check.ts'
import type { ProxyCore } from '../core.ts'
import { renderDecision } from '../render-decision.ts'
import type { EndpointInput } from './endpoint.ts'

/**
 * `/oauth2/forward_auth`, for servers that relay a refusal as it is (Traefik, Caddy): 202 with the identity headers, or
 * what the request would be answered at its own path: sign-in page or redirect for navigation, 401 for programs. Which
 * request that is a trusted proxy has to say; without that nobody passes.
 */
export async function forwardAuth({ request, lookUp }: EndpointInput, core: ProxyCore): Promise<CheckAnswer> {
  const asked = askedOf(request, core)
  if (!asked) return textAnswer(400, nothingAsked)
  const decision = decide(asked, await lookUp(), core.rules)
  if (decision.kind !== 'allow') return renderDecision(asked, decision, core)
  const refused = decision.session && (await core.authservice?.refusal(asked, decision.session))
  if (refused) return refused
  return signedInAnswer(decision.session ? core.identityHeaders(decision.session) : [])
}

const nothingAsked =
  'it is not known which request this is about: the server in front must send X-Forwarded-Method and X-Forwarded-Uri, ' +
  'and trusted_proxy_ips must name its address'

function askedOf(request: CheckRequest, { isTrustedProxy }: ProxyCore): CheckRequest | undefined {
  if (!isTrustedProxy(request.clientAddress)) return undefined
  const { method, path } = askedRequest(request)
  if (method === undefined || path === undefined) return undefined
  return { ...request, method, path, host: request.headers['x-forwarded-host'] ?? request.host }
}
