import { type DocumentPath, namedSource, type Problem, Problems, type Source } from '../kit/problems.ts'
import type { Container, MissingVariable, Variable } from './workloads.ts'

/** Variables a configuration may refer to, each with the place it was written. */
export interface Environment {
  readonly values: Readonly<Record<string, string | undefined>>
  readonly missing: readonly MissingVariable[]
  /** Whether a variable that is not here is set nowhere, as the files tell all that the program is started with. */
  readonly isWhole: boolean
  /** Where a variable was written; `undefined` for those of this process and those not set. */
  placeOf(name: string): { readonly source: Source; readonly path: DocumentPath } | undefined
}

/** What the process environment and the plain env files of a directory bring to every configuration. */
export interface SharedVariables {
  readonly process: Readonly<Record<string, string | undefined>>
  readonly files: ReadonlyMap<string, Variable>
}

/** The variables of a container, above those of plain env files, above those of this process. */
export function environmentOf(container: Container | undefined, { process, files }: SharedVariables): Environment {
  const written = new Map([...files, ...(container?.env ?? [])])
  const values = { ...process, ...Object.fromEntries([...written].map(([name, { value }]) => [name, value])) }
  return {
    values,
    missing: (container?.missing ?? []).filter(({ name }) => name === undefined || values[name] === undefined),
    isWhole: container?.isWhole ?? false,
    placeOf: (name) => written.get(name),
  }
}

/**
 * Runs a reader which knows one source only over variables of many files: `read` sees a source named `environment`,
 * and what it reports at `[NAME]` is told at the place that variable was written.
 */
export function readEnvironment<Result>(
  environment: Environment,
  problems: Problems,
  read: (source: Source, problems: Problems) => Result,
): Result {
  const own = new Problems()
  const source = namedSource('environment')
  const result = read(source, own)
  for (const problem of own.list) problems.list.push(relocate(problem, { environment, name: source.file }))
  return result
}

function relocate(problem: Problem, { environment, name }: { environment: Environment; name: string }): Problem {
  const place = problem.file === name ? environment.placeOf(problem.path) : undefined
  return place ? { ...problem, file: place.source.file, ...place.source.position(place.path) } : problem
}
