import type { Suggestion } from '../explanation.ts'
import { isLetThrough, type Walk, type WalkThrough } from '../situation.ts'
import { suggestionKinds } from './index.ts'
import type { Candidate, Explained } from './kind.ts'

const mostTried = 40
const mostTold = 4

/**
 * Changes that alter the verdict, the smallest first. Each is tried: the request is walked again with the change, and
 * only what then gets another answer is told. Those that turn a refusal into a pass come before those that do not.
 */
export async function suggest(explained: Explained, tryOut: WalkThrough): Promise<readonly Suggestion[]> {
  const before = isLetThrough(explained.walk)
  const told: Suggestion[] = []
  for (const { kind, ...candidate } of candidatesOf(explained)) {
    const after = await tryOut(candidate.apply(explained.situation))
    if (!alters(explained.walk, after)) continue
    // from one refusal to another is no help, unless the new one leads on (a sign-in)
    if (!before && !isLetThrough(after) && after.answer.status >= 400) continue
    const { text, places, size } = candidate
    told.push({ kind, text, places, size, becomes: { isAllowed: isLetThrough(after), status: after.answer.status } })
  }
  const flips = (one: Suggestion) => (one.becomes.isAllowed === before ? 1 : 0)
  return told.toSorted((a, b) => flips(a) - flips(b) || a.size - b.size).slice(0, mostTold)
}

function candidatesOf(explained: Explained): (Candidate & { readonly kind: string })[] {
  const all = Object.entries(suggestionKinds).flatMap(([kind, find]) =>
    find(explained).map((candidate) => ({ ...candidate, kind })),
  )
  const byText = new Map(all.map((candidate) => [candidate.text, candidate]))
  return [...byText.values()].toSorted((a, b) => a.size - b.size).slice(0, mostTried)
}

/** Another status is another verdict, as is getting through or not. */
function alters(before: Walk, after: Walk): boolean {
  return isLetThrough(before) !== isLetThrough(after) || before.answer.status !== after.answer.status
}
