import type { Layer } from '../explanation.ts'
import type { Situation, Walk } from '../situation.ts'

/** What a client sent and may not say: removed before anything is judged. */
export function explainHeaders(_: Situation, { facts, stripped }: Walk): Layer {
  if (!facts) return { name: 'headers', outcome: 'skipped', summary: 'never looked at', details: [] }
  return {
    name: 'headers',
    outcome: 'passed',
    summary: stripped.length === 0 ? 'nothing to strip' : `${stripped.length} stripped`,
    details: stripped.map((name) => ({
      mark: 'info',
      text: `\`${name}\` is the gateway’s to say, or of one connection only; the client’s is removed`,
    })),
  }
}
