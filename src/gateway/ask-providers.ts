import { decideCustom } from '../policy/decide.ts'
import type { Allowance, AskAnswer, AskRequest } from './ask.ts'
import type { Exchange } from './exchange.ts'
import { hasBody, type PeekedBody, peekBody } from './peek-body.ts'
import { framing, type Provider, verdictOf } from './providers.ts'
import { changeParams } from './query-params.ts'
import { crash, refuse, refuseItself } from './refusals.ts'
import { respondAnswer, respondText } from './respond.ts'

/** Asks every provider whose rules match, one after the other; `next` goes on where all of them let the request on. */
export function askProviders(exchange: Exchange, next: (exchange: Exchange) => void): void {
  askFrom(0, exchange, next)
}

function askFrom(first: number, exchange: Exchange, next: (exchange: Exchange) => void): void {
  const { custom } = exchange.state.policies
  for (let at = first; at < custom.length; at += 1) {
    const rules = custom[at]
    const decision = rules && decideCustomly(exchange, rules)
    if (!decision || decision.kind === 'pass') continue
    if (decision.kind === 'deny') {
      refuse(exchange, decision.rule)
      return
    }
    // Envoy skips ext_authz where no route matches; natively who may not sign in learns nothing of what exists
    if (!exchange.route && !exchange.state.isNative) continue
    const provider = exchange.state.providers.get(decision.provider)
    if (!provider) throw new TypeError(`provider ${decision.provider} was known when the policies were selected`)
    const answer = ask(exchange, provider)
    if (answer instanceof Promise) {
      answer
        .then((late) => {
          if (isLetOn(exchange, provider, late)) askFrom(at + 1, exchange, next)
        })
        .catch((error: unknown) => crash(exchange, error))
      return
    }
    if (!isLetOn(exchange, provider, answer)) return
  }
  next(exchange)
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

/** What a provider says, or why it is not asked: it must see more of the body than it may; the client went away. */
type Outcome = AskAnswer | 'too-large' | 'gone'

function ask(exchange: Exchange, provider: Provider): Outcome | Promise<Outcome> {
  const { body } = provider
  if (!body || exchange.upgrade || !hasBody(exchange.headers)) return askAbout(exchange, provider, undefined)
  return peekBody(exchange.request, body.maxBytes).then((peeked) => {
    if (!peeked) return 'gone'
    return peeked.isWhole || body.allowsPartial ? askAbout(exchange, provider, peeked) : 'too-large'
  })
}

function askAbout(
  exchange: Exchange,
  provider: Provider,
  body: PeekedBody | undefined,
): AskAnswer | Promise<AskAnswer> {
  const { method, path, query, host, clientAddress, requestId, headers } = exchange
  const failed = (cause: unknown): AskAnswer => {
    exchange.context.log.warn('provider could not be asked', { provider: provider.name, requestId, cause })
    return { status: 500, headers: [], body: '' }
  }
  try {
    const given = provider.givenHeaders(headers)
    if (body) given['x-envoy-auth-partial-body'] = String(!body.isWhole)
    const request = {
      method,
      path: path + query,
      headers: given,
      clientAddress,
      requestId,
      host,
      ...(provider.isToldPeer ? { peer: peerOf(exchange) } : {}),
      ...(body ? { body: body.bytes } : {}),
    }
    exchange.trace?.asked.push({ provider: provider.name, request, answer: undefined })
    const answer = provider.ask(request)
    return answer instanceof Promise ? answer.catch(failed) : answer
  } catch (cause) {
    return failed(cause)
  }
}

function peerOf({ peerAddress, socket, localAddress, localPort, scheme }: Exchange): NonNullable<AskRequest['peer']> {
  return { address: peerAddress, port: socket.remotePort ?? 0, localAddress, localPort, scheme }
}

/** Applies a provider's answer; `false` where the request ends with it. */
function isLetOn(exchange: Exchange, provider: Provider, answer: Outcome): boolean {
  if (answer === 'gone') return false
  if (answer === 'too-large') {
    refuseItself(exchange, { status: 413, text: 'Payload Too Large', headers: ['connection', 'close'] })
    return false
  }
  const { observer } = exchange.context
  const asked = exchange.trace?.asked.at(-1)
  if (asked) asked.answer = answer
  switch (verdictOf(answer)) {
    case 'allow':
      applyAnswer(exchange, provider, answer.headers)
      exchange.providerSession ??= answer.session
      if (answer.allowance) applyAllowance(exchange, answer.allowance)
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

/** The headers of an allowing answer over HTTP, as far as the provider's lists let them through; removals come last. */
function applyAnswer(exchange: Exchange, provider: Provider, flat: readonly string[]): void {
  const removed: string[] = []
  for (let at = 0; at < flat.length; at += 2) {
    const name = (flat[at] ?? '').toLowerCase()
    const value = flat[at + 1] ?? ''
    if (name === 'x-envoy-auth-headers-to-remove') removed.push(...value.toLowerCase().split(','))
    if (provider.goesUpstream(name)) exchange.headers.set(name, value)
    if (provider.goesDownstreamOnAllow(name)) exchange.responseHeaders.push(name, value)
  }
  for (const name of removed) removeHeader(exchange, name.trim())
}

function removeHeader({ headers }: Exchange, name: string): void {
  if (name !== 'host' && !framing.has(name)) headers.remove(name)
}

/** What a provider over gRPC asks for: first what is set, then what is appended to headers that are there (Envoy ext_authz.cc). */
function applyAllowance(exchange: Exchange, allowance: Allowance): void {
  const { headers } = exchange
  const changes = allowance.requestHeaders.filter(
    ({ name }) => name !== '' && !name.startsWith(':') && !framing.has(name),
  )
  for (const { name, value, how } of changes) if (how !== 'append') headers.set(name, value)
  for (const { name, value, how } of changes) if (how === 'append') headers.extend(name, value)
  for (const name of allowance.removedHeaders) removeHeader(exchange, name)
  exchange.responseChanges.push(...allowance.responseHeaders.filter(({ name }) => name !== '' && !framing.has(name)))
  exchange.query = changeParams(exchange.query, allowance)
}
