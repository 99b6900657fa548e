import type { Place } from '../../../policy/reader.ts'
import type { Situation, Walk } from '../situation.ts'

/** What a change is looked for in. */
export interface Explained {
  readonly situation: Situation
  readonly walk: Walk
  readonly nowSeconds: number
}

/** A change that may alter the verdict. It is told only when trying it does. */
export interface Candidate {
  /** An instruction: `add \`/x/*\` to notPaths of …`. */
  readonly text: string
  /** Where in the files; empty for a change of the request. */
  readonly places: readonly Place[]
  /** How much it changes; smaller is better. 1 is one thing about the request. */
  readonly size: number
  apply(situation: Situation): Situation
}

/** One kind of change: one file, one row in the table. */
export type SuggestionKind = (explained: Explained) => readonly Candidate[]
