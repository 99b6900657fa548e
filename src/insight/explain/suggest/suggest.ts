import type { Suggestion } from '../explanation.ts'
import { isLetThrough, type Walk, type WalkThrough } from '../situation.ts'
import { suggestionKinds } from './index.ts'
import type { Candidate, Explained } from './kind.ts'

const mostTried = 40
const mostTold = 4
/** How many first steps are gone on from. */
const mostFirstSteps = 4

/**
 * Changes that alter the verdict, the smallest first. Each is tried: the request is walked again with the change, and
 * only what then gets another answer is told. Where no single change turns the verdict around, two of them are tried:
 * one that changes what decides, and one that this calls for.
 */
export async function suggest(explained: Explained, tryOut: WalkThrough): Promise<readonly Suggestion[]> {
  const before = isLetThrough(explained.walk)
  const tried = await tryAll(explained, tryOut)
  const turns = ({ after }: Tried) => isLetThrough(after) !== before
  const all = tried.some(turns) || before ? tried : [...tried, ...(await tryTwo(explained, { tried, tryOut }))]
  const told = smallestOfKind(all.filter((one) => turns(one) || leadsOn(explained.walk, one.after)))
  const rank = (one: Tried) => (turns(one) ? 0 : 1)
  const sorted = told.toSorted((a, b) => rank(a) - rank(b) || a.candidate.size - b.candidate.size)
  return sorted.slice(0, mostTold).map(suggestionOf)
}

/** More of a change that is enough already is none. */
function smallestOfKind(tried: readonly Tried[]): Tried[] {
  const kinds = Object.values(Object.groupBy(tried, ({ candidate }) => candidate.kind))
  return kinds.flatMap((ones = []) => {
    const smallest = Math.min(...ones.map(({ candidate }) => Math.floor(candidate.size)))
    return ones.filter(({ candidate }) => candidate.size < smallest + 1)
  })
}

type Named = Candidate & { readonly kind: string }

/** A change, and what came of it. */
interface Tried {
  readonly candidate: Named
  readonly after: Walk
}

async function tryAll(explained: Explained, tryOut: WalkThrough): Promise<Tried[]> {
  const tried: Tried[] = []
  for (const candidate of candidatesOf(explained)) {
    tried.push({ candidate, after: await tryOut(candidate.apply(explained.situation)) })
  }
  return tried
}

/** Two changes in a row. */
async function tryTwo(
  explained: Explained,
  { tried, tryOut }: { tried: readonly Tried[]; tryOut: WalkThrough },
): Promise<Tried[]> {
  const firstSteps = tried.filter(({ after }) => stateOf(after) !== stateOf(explained.walk)).slice(0, mostFirstSteps)
  const found: Tried[] = []
  for (const { candidate: first, after } of firstSteps) {
    const next = { ...explained, situation: first.apply(explained.situation), walk: after }
    for (const second of await tryAll(next, tryOut)) {
      const { candidate } = second
      const both: Named = {
        kind: `${first.kind}+${candidate.kind}`,
        text: `${first.text}; then ${candidate.text}`,
        places: [...first.places, ...candidate.places],
        size: first.size + candidate.size,
        apply: (situation) => candidate.apply(first.apply(situation)),
      }
      found.push({ candidate: both, after: second.after })
    }
  }
  return found
}

/** Who decides, and which conditions hold: a step that changes neither leads nowhere. */
function stateOf(walk: Walk): string {
  const judged = walk.trace.rules.filter(({ rule }) => rule.policy.action !== 'CUSTOM')
  const conditions = judged.flatMap((rule) => rule.conditions)
  return `${deciderOf(walk)} ${conditions.map(({ holds }) => (holds ? 1 : 0)).join('')}`
}

function deciderOf({ cause, answer }: Walk): string {
  switch (cause?.kind) {
    case 'provider':
      return `provider ${cause.provider}`
    case 'policy':
      return `policy ${cause.rule?.id}`
    case 'token':
      return `token ${cause.refusal.text}`
    default:
      return `answer ${answer.status}`
  }
}

function candidatesOf(explained: Explained): Named[] {
  const all = Object.entries(suggestionKinds).flatMap(([kind, find]) =>
    find(explained).map((candidate) => ({ ...candidate, kind })),
  )
  const byText = new Map(all.map((candidate) => [candidate.text, candidate]))
  return [...byText.values()].toSorted((a, b) => a.size - b.size).slice(0, mostTried)
}

/** From one refusal to another is no help, unless the new one leads on: to the sign-in. */
function leadsOn(before: Walk, after: Walk): boolean {
  return before.answer.status !== after.answer.status && after.answer.status < 400
}

function suggestionOf({ candidate, after }: Tried): Suggestion {
  const { kind, text, places, size } = candidate
  return { kind, text, places, size, becomes: { isAllowed: isLetThrough(after), status: after.answer.status } }
}
