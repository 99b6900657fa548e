import type { Candidate } from './candidates.ts'
import type { SharedVariables } from './environment.ts'
import type { KeyedTexts } from './keyed-texts.ts'
import type { Reading } from './manifests.ts'
import type { Container } from './workloads.ts'

/** What is known of a directory while the configurations in it are found. */
export interface Finding extends Reading {
  readonly candidates: readonly Candidate[]
  readonly containers: readonly Container[]
  readonly shared: SharedVariables
  readonly keyedTexts: readonly KeyedTexts[]
}
