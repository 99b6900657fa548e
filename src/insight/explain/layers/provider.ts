import { verdictOf } from '../../../gateway/providers.ts'
import type { RuleTrace } from '../../../policy/decide.ts'
import type { Detail, Layer } from '../explanation.ts'
import { whyProxyAnswers } from '../proxy-reasons.ts'
import type { Situation, Walk } from '../situation.ts'
import { ruleDetails } from './policies.ts'

/** The CUSTOM rules, whom they ask, and what the answer is and why. */
export function explainProvider(situation: Situation, walk: Walk): Layer {
  const { facts, trace, cause } = walk
  const judged = trace.rules.filter(({ rule }) => rule.policy.action === 'CUSTOM')
  if (!facts) return { name: 'provider', outcome: 'skipped', summary: 'never asked', details: [] }
  const isStopped = cause?.kind === 'provider' || (cause?.kind === 'policy' && cause.rule?.policy.action === 'CUSTOM')
  const last = lastJudgements(judged)
  const details = [
    ...last.flatMap((one) => ruleDetails(one, one.isMatch && isStopped)),
    ...(last.length < judged.length ? [hidden] : []),
  ]
  if (trace.asked.length === 0) {
    const summary = isStopped
      ? 'nobody can be asked, so the CUSTOM rule denies'
      : facts.state.policies.custom.length === 0
        ? 'there is no CUSTOM policy'
        : 'not asked: no CUSTOM rule matches'
    return { name: 'provider', outcome: isStopped ? 'stopped' : 'skipped', summary, details }
  }
  const answers = trace.asked.flatMap((asked) => askedDetails(situation, asked))
  return {
    name: 'provider',
    outcome: isStopped ? 'stopped' : 'passed',
    summary: `${trace.asked.map(({ provider }) => `\`${provider}\``).join(', ')} ${isStopped ? 'refuses' : 'allows'}`,
    details: [...details, ...answers],
  }
}

const hidden: Detail = {
  mark: 'info',
  text: 'an `Authorization` that holds no token any rule verifies counts as absent here (Istio would skip the sign-in)',
}

/** Natively a rule may be judged again as if there were no `Authorization`; the last time counts. */
function lastJudgements(judged: readonly RuleTrace[]): readonly RuleTrace[] {
  return [...new Map(judged.map((one) => [one.rule, one])).values()]
}

function askedDetails(situation: Situation, { provider, request, answer }: Walk['trace']['asked'][number]): Detail[] {
  const given = Object.keys(request.headers).join(', ') || 'no headers'
  const told: Detail = {
    mark: 'info',
    text: `\`${provider}\` is asked ${request.method} \`${pathOf(request.path)}\`, with ${given}`,
  }
  if (!answer) return [told, { mark: 'decides', text: 'it could not be asked' }]
  const verdict = verdictOf(answer)
  const why = whyProxyAnswers(situation, { request, answer })
  const mark = verdict === 'allow' ? 'match' : 'decides'
  const answered = `it answers ${answer.status}${verdict === 'error' ? ', a failure' : ''}`
  return [told, { mark, text: why === undefined ? answered : `${answered}: ${why}` }]
}

/** The query may carry what nobody should read. */
function pathOf(target: string): string {
  const mark = target.indexOf('?')
  return mark < 0 ? target : `${target.slice(0, mark)}?…`
}
