/**
 * Room `insight`, linter: what `gatehouse check` knows of sign-in chains. One file per rule, `index.ts` is the table. It
 * reads parsed configuration and says what is wrong; files are read and written by others.
 */
import type { Problem } from '../../kit/problems.ts'
import type { Place } from '../../policy/reader.ts'
import type { Edit } from './edit.ts'
import type { Subject } from './subject.ts'

/** `error`: sign-in fails or is open. `warning`: it bites someone, some day. `note`: worth knowing, never fails a build. */
export type Severity = 'error' | 'warning' | 'note'

/** Files of an example, by name. */
export type Example = Readonly<Record<string, string>>

/** One mistake people make: what it is, what they see of it, how it is found and mended. */
export interface Rule {
  readonly id: string
  readonly severity: Severity
  /** What it catches, in a line. */
  readonly title: string
  /** Why it bites: the symptom that someone sees. */
  readonly why: string
  /** What to do about it. */
  readonly remedy: string
  /** Files that break it; the tests lint them. */
  readonly bad: Example
  /** The same, mended. */
  readonly good: Example
  /** Whether it bites at Istio's own gateway only; ours has no such trap. */
  readonly isOfIstio?: true
  /** Whether a problem that loading the files already told is one of this rule's; those with its id always are. */
  readonly told?: RegExp
  /**
   * Whether the files have what the rule is about; else nothing is told. Loading fills in what is missing, and that
   * need not agree with the platform's own.
   */
  isAbout?(subject: Subject, found: Found): boolean
  /** Finds what loading the files does not tell. */
  find?(subject: Subject): readonly Found[]
  /** Mends a place in the text, where that is safe. */
  edits?(found: Found, subject: Subject): readonly Edit[]
}

/** A place that breaks a rule. */
export interface Found {
  readonly place: Place
  /** Lower case, no full stop. */
  readonly message: string
  readonly fix?: string | undefined
}

/** What `gatehouse check` tells. */
export interface Finding extends Found {
  readonly rule: string
  readonly severity: Severity
  /** Empty where nothing safe is known. */
  readonly edits: readonly Edit[]
}

/** The files of the good example that differ from the bad one's. */
export function mendedFiles({ bad, good }: Pick<Rule, 'bad' | 'good'>): Example {
  return Object.fromEntries(Object.entries(good).filter(([name, text]) => bad[name] !== text))
}

/** A problem told by loading the files, as a place that breaks a rule. */
export function foundOf({ file, line, column, path, message, fix }: Problem): Found {
  const position = line === undefined ? {} : { line, ...(column === undefined ? {} : { column }) }
  return { place: { file, ...position, path }, message, fix }
}
