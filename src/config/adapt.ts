import { type DocumentPath, Problems, type SourceDocument } from '../kit/problems.ts'
import type { ChainSecrets } from './chain-secrets.ts'
import type { Environment } from './environment.ts'
import { isOurs, type ReportBook } from './report.ts'
import type { AppRoute } from './stock.ts'

/** What the steps share that adapt a platform's files to this run. */
export interface Adapting {
  /** Origin browsers use; no trailing slash. */
  readonly publicUrl: string
  readonly secrets: ChainSecrets
  readonly apps: readonly AppRoute[]
  readonly problems: Problems
  readonly report: ReportBook
}

/** The document with another value at `path`; missing objects on the way are made. Its lines stay. */
export function withValueAt(document: SourceDocument, path: DocumentPath, value: unknown): SourceDocument {
  const replace = (part: unknown, [step, ...rest]: DocumentPath): unknown => {
    if (step === undefined) return value
    if (Array.isArray(part)) return part.map((item, index) => (index === step ? replace(item, rest) : item))
    const members = (part ?? {}) as Readonly<Record<string, unknown>>
    return { ...members, [step]: replace(members[step], rest) }
  }
  return { ...document, value: replace(document.value, path) }
}

/** The environment with these variables over its own. */
export function withVariables(environment: Environment, variables: Readonly<Record<string, string>>): Environment {
  return { ...environment, values: { ...environment.values, ...variables } }
}

/**
 * Runs a part's own reader and sorts what it says: settings that have no effect here go to the report as ignored, the
 * rest to the problems.
 */
export function readSorted<Result>(
  { problems, report }: Pick<Adapting, 'problems' | 'report'>,
  read: (problems: Problems) => Result,
): Result {
  const own = new Problems()
  const result = read(own)
  for (const problem of own.list) {
    if (problem.severity === 'warning' && isOurs(problem)) continue // nothing the user wrote
    const { severity, message, fix, file, line, path } = problem
    const why = noEffect.exec(message)
    if (severity === 'error' || !why || fix?.startsWith('did you mean')) problems.list.push(problem)
    else
      report.add({
        kind: 'ignored',
        file,
        ...(line === undefined ? {} : { line }),
        what: path || file,
        why: why[1] ?? message,
      })
  }
  return result
}

/** How the parts say that a setting has no effect; the reason is what they say beside it. */
const noEffect = /^(?:is not acted on: (.*)|.* has no effect.*|unknown key .* is ignored.*|.* is not enforced here)$/
