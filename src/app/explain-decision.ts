import type { RecordedDecision } from '../gateway/decision-ring.ts'
import { causeText, type Explanation } from '../insight/explain/explanation.ts'
import type { AskedRequest, Identity } from '../insight/explain/situation.ts'
import type { ExplainOptions } from './explain-request.ts'
import { explainRequest } from './explain-request.ts'

/** A refusal of a running chain, explained again from what was kept of it, at the time it was decided. */
export async function explainDecision(
  decision: RecordedDecision,
  options: Pick<ExplainOptions, 'chain' | 'random'>,
): Promise<Explanation> {
  const identity = identityOf(decision)
  const explanation = await explainRequest({
    ...options,
    request: requestOf(decision, options.chain.gateway.meshConfig.numTrustedProxies),
    sender: identity ? { kind: 'identity', identity } : { kind: 'anonymous' },
    live: undefined,
    clock: { now: () => decision.at },
  })
  const told = explanation.verdict.isAllowed ? refusedBehindPolicies(explanation, decision) : explanation
  return { ...told, recorded: decision, caveats: [...caveatsOf(decision, told), ...told.caveats] }
}

/** What lets a request on still leads to who refused it then: a part, or nobody who could answer. */
function refusedBehindPolicies(explanation: Explanation, { cause, status }: RecordedDecision): Explanation {
  if (cause.kind !== 'part' && cause.kind !== 'gateway') return explanation
  const reason = cause.reason === '' ? `it answered ${status}` : cause.reason
  const who = cause.kind === 'part' ? `\`${cause.part}\` refuses` : 'the app cannot answer'
  return {
    ...explanation,
    verdict: { isAllowed: false, status, summary: `the policies let it pass; ${who}: ${reason}` },
    layers: explanation.layers.map((layer) =>
      layer.name === 'app'
        ? {
            ...layer,
            outcome: 'stopped',
            summary: `${who} (${status})`,
            details: [{ mark: 'decides', text: reason }, ...layer.details.filter(isOfThen)],
          }
        : layer,
    ),
    suggestions: [],
  }
}

/** The id of the request that stands in for it is nobody's. */
const isOfThen = ({ text }: { readonly text: string }): boolean => !text.startsWith('x-request-id:')

function requestOf(decision: RecordedDecision, trustedProxies: number): Omit<AskedRequest, 'identity'> {
  const { method, target, host, headers, peerAddress, clientAddress, authorization, hasCookies } = decision
  const hops = [clientAddress, ...new Array<string>(Math.max(0, trustedProxies - 1)).fill(peerAddress)]
  return {
    method,
    // `…` stands for what was not kept
    target: target.replaceAll('…', 'omitted'),
    host,
    peerAddress,
    headers: [
      ...Object.entries(headers),
      ...(trustedProxies > 0 ? [['X-Forwarded-For', hops.join(',')] as const] : []),
      ...(hasCookies && (!decision.identity || bringsToken(decision)) ? [['Cookie', 'omitted=1'] as const] : []),
      ...(authorization === undefined || bringsToken(decision)
        ? []
        : [['Authorization', `${authorization} omitted`.trimStart()] as const]),
    ],
  }
}

/** Whether the client itself sent a token that could be read. */
function bringsToken({ authorization, identity }: RecordedDecision): boolean {
  return identity !== undefined && authorization?.toLowerCase() === 'bearer'
}

function identityOf(decision: RecordedDecision): Identity | undefined {
  const { identity } = decision
  if (!identity) return undefined
  return { kind: bringsToken(decision) ? 'claims' : 'session', claims: identity.claims }
}

/** Where the explanation and what happened differ, this must be said. */
function caveatsOf(decision: RecordedDecision, { verdict }: Explanation): string[] {
  const { cause } = decision
  if (verdict.status === decision.status) {
    if (cause.kind !== 'token' || verdict.body?.startsWith(cause.text)) return []
    return [`the token was refused with “${cause.text}” then; it is not kept, so another stands in for it here`]
  }
  return [
    `the request was answered ${decision.status} then: ${causeText(cause)}. What was kept of it does not lead there now: ` +
      'the files have changed since, or it hung on what is never kept (a session, a signature)',
  ]
}
