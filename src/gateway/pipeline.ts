import { decide, findAudited } from '../policy/decide.ts'
import { askProviders } from './ask-providers.ts'
import type { Authentication } from './authenticate.ts'
import { allowedOrigin, isPreflight, preflightAnswer } from './cors.ts'
import type { Exchange } from './exchange.ts'
import { followRoute } from './follow-route.ts'
import { addForwardingHeaders } from './forwarding-headers.ts'
import { crash, refuse, refuseToken } from './refusals.ts'
import { respond } from './respond.ts'
import { removeToken } from './token-locations.ts'

/**
 * A request's way once its path is normalised and its headers stripped (docs/ARCHITECTURE.md): route, CUSTOM, tokens, AUDIT, DENY,
 * ALLOW, forward. It runs without a pause where the provider answers at once and the token was verified before.
 */
export function runPipeline(exchange: Exchange): void {
  const { state } = exchange
  addForwardingHeaders(exchange)
  if (state.isNative && exchange.headers.count('authorization') > 1) {
    // RFC 9110 §5.3: no list field; which of them an app would believe is anyone's guess
    refuseToken(exchange, { status: 401, text: 'more than one Authorization header' })
    return
  }
  exchange.route = state.routes.find(exchange, exchange.scheme)
  if (state.isNative && answerPreflight(exchange)) return
  askProviders(exchange, authenticate)
}

/**
 * A preflight carries no credentials, so policies could only refuse it (in Istio they do: CORS comes after them). Natively
 * a route's `corsPolicy` answers it for the origins it allows; that tells nothing but the policy, and reaches no app.
 */
function answerPreflight(exchange: Exchange): boolean {
  const { cors, action } = exchange.route?.route ?? {}
  if (!cors || action?.kind !== 'forward' || !isPreflight(exchange) || allowedOrigin(cors, exchange) === undefined)
    return false
  respond(exchange, { status: 200, headers: preflightAnswer(cors, exchange) ?? [] })
  return true
}

function authenticate(exchange: Exchange): void {
  const { state, headers, query } = exchange
  // Envoy's jwt_authn steps aside for CORS preflights (`bypass_cors_preflight`); natively nothing steps aside
  if (!state.isNative && isPreflight(exchange)) {
    authorize(exchange)
    return
  }
  const authentication = state.authenticator.authenticate({ headers, query })
  if (!(authentication instanceof Promise)) {
    applyAuthentication(exchange, authentication)
    return
  }
  authentication.then((late) => applyAuthentication(exchange, late)).catch((error: unknown) => crash(exchange, error))
}

function applyAuthentication(exchange: Exchange, authentication: Authentication): void {
  const { state, trace } = exchange
  if (trace) trace.authentication = authentication
  if (authentication.kind === 'refused') {
    const { refusal } = authentication
    if (leadsToVerifier(exchange)) {
      authorize(exchange)
      return
    }
    refuseToken(exchange, refusal)
    return
  }
  if (authentication.kind === 'none' || !authentication.told) sanitise(exchange, authentication)
  if (authentication.kind === 'verified') {
    const { token, told } = authentication
    exchange.claims = token.claims
    exchange.tokenSession = token.names
    if (told) exchange.query = told.query
    else tell(exchange, authentication)
    // Envoy clears its route when a token was verified, since a route may look at its claims
    if (state.routes.dependsOnToken) exchange.route = state.routes.find(exchange, exchange.scheme)
  }
  authorize(exchange)
}

/**
 * Natively a part that verifies tokens itself is reached with its own, though no RequestAuthentication knows them: an
 * issuer's userinfo, a sign-out with the session as its bearer. For the policies such a request comes without a token.
 */
function leadsToVerifier({ state, route, context }: Exchange): boolean {
  if (!state.isNative || route?.route.action.kind !== 'forward') return false
  return route.route.action.destinations.every(({ host, port, namespace }) => {
    const upstream = context.resolveUpstream(host, port, namespace)
    return upstream?.kind === 'part' && upstream.verifiesTokens === true
  })
}

/** A rule that is tried removes what the client sent under the names it sets; natively they are gone already. */
function sanitise({ state, headers }: Exchange, authentication: Authentication): void {
  if (state.isNative) return
  const { outputs } = state.authenticator
  const tried = authentication.kind === 'verified' ? authentication.token.ruleIndex + 1 : outputs.length
  for (const names of outputs.slice(0, tried)) for (const name of names) headers.remove(name)
}

/** Natively a header is set once, though two outputs of a rule name it. */
function tell(exchange: Exchange, { token, found }: Extract<Authentication, { kind: 'verified' }>): void {
  const { headers, state } = exchange
  for (let at = 0; at < token.headers.length; at += 2) {
    const [name, value] = [token.headers[at] ?? '', token.headers[at + 1] ?? '']
    if (state.isNative) headers.set(name, value)
    else headers.add(name, value)
  }
  if (token.keepsToken) return
  for (const { location } of found) exchange.query = removeToken(exchange, location, state.mode)
}

function authorize(exchange: Exchange): void {
  const { policies } = exchange.state
  if (policies.audit.length > 0) audit(exchange)
  const { isAllowed, rule } = decide(policies, exchange, exchange.trace?.rules)
  if (isAllowed) followRoute(exchange)
  else refuse(exchange, rule)
}

function audit(exchange: Exchange): void {
  const rule = findAudited(exchange.state.policies, exchange, exchange.trace?.rules)
  const { requestId, method, path, host } = exchange
  if (rule) exchange.context.log.info('request audited', { requestId, rule: rule.id, method, path, host })
}
