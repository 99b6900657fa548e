import { decide, decideCustom, findAudited } from '../policy/decide.ts'
import type { AppliedRule } from '../policy/policy-set.ts'
import type { AskAnswer } from './ask.ts'
import type { Authentication } from './authenticate.ts'
import type { Exchange } from './exchange.ts'
import { followRoute } from './follow-route.ts'
import { addForwardingHeaders } from './forwarding-headers.ts'
import { type Provider, verdictOf } from './providers.ts'
import { respondAnswer, respondForbidden, respondText, respondUnauthorized } from './respond.ts'
import { withoutParam } from './token-locations.ts'
import type { Refusal } from './token-refusals.ts'

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
  // Envoy skips ext_authz where no route matches; natively who may not sign in learns nothing of what exists
  if (state.isNative || exchange.route) askProviders(exchange, 0)
  else authenticate(exchange)
}

function askProviders(exchange: Exchange, first: number): void {
  const { custom } = exchange.state.policies
  for (let at = first; at < custom.length; at += 1) {
    const rules = custom[at]
    const decision = rules && decideCustomly(exchange, rules)
    if (!decision || decision.kind === 'pass') continue
    if (decision.kind === 'deny') {
      refuse(exchange, decision.rule)
      return
    }
    const provider = exchange.state.providers.get(decision.provider)
    if (!provider) throw new TypeError(`provider ${decision.provider} was known when the policies were selected`)
    const answer = ask(exchange, provider)
    if (answer instanceof Promise) {
      answer
        .then((late) => {
          if (isLetOn(exchange, provider, late)) askProviders(exchange, at + 1)
        })
        .catch((error: unknown) => crash(exchange, error))
      return
    }
    if (!isLetOn(exchange, provider, answer)) return
  }
  authenticate(exchange)
}

/**
 * Kubeflow's CUSTOM rule matches only requests without an `Authorization`, so in Istio any value of it skips the login.
 * Natively one that holds no token any rule would verify (`Basic …`, an empty one) does not count: the provider is
 * asked when the rules match either with it or without it.
 */
function decideCustomly(exchange: Exchange, rules: Parameters<typeof decideCustom>[0]) {
  const decision = decideCustom(rules, exchange, exchange.trace?.rules)
  if (decision.kind !== 'pass' || !exchange.state.isNative) return decision
  if (exchange.headers.get('authorization') === undefined) return decision
  const { headers, query, state } = exchange
  if (state.authenticator.readsTokenFrom('authorization', { headers, query })) return decision
  exchange.hidesAuthorization = true
  const hidden = decideCustom(rules, exchange, exchange.trace?.rules)
  exchange.hidesAuthorization = false
  return hidden
}

function ask(exchange: Exchange, provider: Provider): AskAnswer | Promise<AskAnswer> {
  const { method, path, query, host, clientAddress, requestId, headers } = exchange
  const failed = (cause: unknown): AskAnswer => {
    exchange.context.log.warn('provider could not be asked', { provider: provider.name, requestId, cause })
    return { status: 500, headers: [], body: '' }
  }
  try {
    const given = provider.givenHeaders(headers)
    const request = { method, path: path + query, headers: given, clientAddress, requestId, host }
    exchange.trace?.asked.push({ provider: provider.name, request, answer: undefined })
    const answer = provider.ask(request)
    return answer instanceof Promise ? answer.catch(failed) : answer
  } catch (cause) {
    return failed(cause)
  }
}

/** Applies a provider's answer; `false` where the request ends with it. */
function isLetOn(exchange: Exchange, provider: Provider, answer: AskAnswer): boolean {
  const { observer } = exchange.context
  const asked = exchange.trace?.asked.at(-1)
  if (asked) asked.answer = answer
  switch (verdictOf(answer)) {
    case 'allow':
      applyAllowance(exchange, provider, answer.headers)
      return true
    case 'error':
      if (provider.failOpen) return true
      observer?.refused(exchange, {
        kind: 'provider',
        provider: provider.name,
        status: provider.statusOnError,
        isError: true,
      })
      respondText(exchange, provider.statusOnError, '')
      return false
    case 'deny':
      exchange.context.log.info('request refused', {
        requestId: exchange.requestId,
        provider: provider.name,
        status: answer.status,
      })
      observer?.refused(exchange, { kind: 'provider', provider: provider.name, status: answer.status, isError: false })
      respondAnswer(exchange, answer, provider.goesDownstreamOnDeny)
      return false
  }
}

function applyAllowance(exchange: Exchange, provider: Provider, flat: readonly string[]): void {
  for (let at = 0; at < flat.length; at += 2) {
    const name = (flat[at] ?? '').toLowerCase()
    const value = flat[at + 1] ?? ''
    if (name === 'x-envoy-auth-headers-to-remove') {
      for (const removed of value.toLowerCase().split(',')) {
        if (removed.trim() !== 'host') exchange.headers.remove(removed.trim())
      }
    }
    if (provider.goesUpstream(name)) exchange.headers.set(name, value)
    if (provider.goesDownstreamOnAllow(name)) exchange.responseHeaders.push(name, value)
  }
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

function isPreflight({ method, headers }: Exchange): boolean {
  return method === 'OPTIONS' && !!headers.get('origin') && !!headers.get('access-control-request-method')
}

function applyAuthentication(exchange: Exchange, authentication: Authentication): void {
  const { headers, state, trace } = exchange
  if (trace) trace.authentication = authentication
  if (authentication.kind === 'refused') {
    const { refusal } = authentication
    if (leadsToIssuer(exchange)) {
      authorize(exchange)
      return
    }
    refuseToken(exchange, refusal)
    return
  }
  // a rule that is tried removes what the client sent under the names it sets; natively they are gone already
  const { outputs } = state.authenticator
  const tried = authentication.kind === 'none' ? outputs.length : authentication.token.ruleIndex + 1
  if (!state.isNative) for (const names of outputs.slice(0, tried)) for (const name of names) headers.remove(name)
  if (authentication.kind === 'verified') {
    const { token, found } = authentication
    exchange.claims = token.claims
    for (let at = 0; at < token.headers.length; at += 2) {
      headers.set(token.headers[at] ?? '', token.headers[at + 1] ?? '')
    }
    if (!token.keepsToken) for (const { location } of found) removeToken(exchange, location)
    // Envoy clears its route when claims became headers, since a route may look at them
    if (state.routes.readsHeaders) exchange.route = state.routes.find(exchange, exchange.scheme)
  }
  authorize(exchange)
}

/**
 * Natively an issuer in this process is reached with its own tokens, though no RequestAuthentication knows them: it
 * verifies them itself (userinfo). For the policies such a request comes without a token.
 */
function leadsToIssuer({ state, route, context }: Exchange): boolean {
  if (!state.isNative || route?.route.action.kind !== 'forward') return false
  return route.route.action.destinations.every(({ host, port, namespace }) => {
    const upstream = context.resolveUpstream(host, port, namespace)
    return upstream?.kind === 'part' && upstream.verifiesTokens === true
  })
}

function removeToken(exchange: Exchange, { kind, name }: { readonly kind: string; readonly name: string }): void {
  if (kind === 'header') exchange.headers.remove(name)
  if (kind === 'param') exchange.query = withoutParam(exchange.query, name)
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

function refuse(exchange: Exchange, rule: AppliedRule | undefined): void {
  const { requestId, method, path, host, context } = exchange
  context.log.info('request refused', { requestId, rule: rule?.id ?? 'none', status: 403, method, path, host })
  context.observer?.refused(exchange, { kind: 'policy', rule })
  respondForbidden(exchange)
}

function refuseToken(exchange: Exchange, refusal: Refusal): void {
  exchange.context.log.info('request refused', { requestId: exchange.requestId, ...refusal })
  exchange.context.observer?.refused(exchange, { kind: 'token', refusal })
  respondUnauthorized(exchange, refusal)
}

/** A mistake of ours: a clear answer, never an allow (architecture §6, invariant 9). */
export function crash(exchange: Exchange, cause: unknown): void {
  exchange.context.log.error('request failed', { requestId: exchange.requestId, cause })
  if (exchange.response.headersSent) exchange.response.destroy()
  else respondText(exchange, 500, 'internal error')
}
