import { GatehouseError } from './errors.ts'

/** A path into a document: keys and list indexes. */
export type DocumentPath = readonly (string | number)[]

/** Where a value was read: a file (or `stdin`, `env`) that can tell the place of a path inside it. Lines count from 1. */
export interface Source {
  readonly file: string
  position(path: DocumentPath): { readonly line: number; readonly column: number } | undefined
}

/** A value read from a file, with the way back to its lines. */
export interface SourceDocument {
  readonly value: unknown
  readonly source: Source
}

/** One thing wrong with a configuration: where it is, what was found, what would do. */
export interface Problem {
  readonly severity: 'error' | 'warning'
  readonly file: string
  readonly line?: number
  readonly column?: number
  /** `broker.connectors[1].type` */
  readonly path: string
  /** What is wrong, with what was found; lower case, no full stop. */
  readonly message: string
  /** What would do. */
  readonly fix?: string
  /** The lint rule it breaks; `gatehouse check --explain` tells more. */
  readonly rule?: string
}

/** Collects problems, so that all of them can be told at once (architecture §6, invariant 8). */
export class Problems {
  readonly list: Problem[]
  private readonly rule: string | undefined

  constructor(list: Problem[] = [], rule?: string) {
    this.list = list
    this.rule = rule
  }

  /** The same list; what is added through this one breaks that lint rule. */
  under(rule: string): Problems {
    return new Problems(this.list, rule)
  }

  add(severity: Problem['severity'], source: Source, path: DocumentPath, message: string, fix?: string): void {
    const position = source.position(path)
    this.list.push({
      severity,
      file: source.file,
      ...position,
      path: formatPath(path),
      message,
      ...(fix === undefined ? {} : { fix }),
      ...(this.rule === undefined ? {} : { rule: this.rule }),
    })
  }

  error(source: Source, path: DocumentPath, message: string, fix?: string): void {
    this.add('error', source, path, message, fix)
  }

  warn(source: Source, path: DocumentPath, message: string, fix?: string): void {
    this.add('warning', source, path, message, fix)
  }

  get hasErrors(): boolean {
    return this.list.some((problem) => problem.severity === 'error')
  }

  /** @throws ConfigError when a problem is an error; it carries all of them. */
  throwIfAny(): void {
    if (this.hasErrors) throw new ConfigError(this.list)
  }
}

/** A configuration that must not be started on. Its message lists every problem, one a line. */
export class ConfigError extends GatehouseError {
  readonly problems: readonly Problem[]

  constructor(problems: readonly Problem[]) {
    super('config', problems.map(formatProblem).join('\n'))
    this.name = 'ConfigError'
    this.problems = problems
  }
}

/** `dex.yaml:12:5: error: broker.issuer: must be a URL, got "x"; write http(s)://host/path` */
export function formatProblem({ severity, file, line, column, path, message, fix }: Problem): string {
  const place = [file, line, column].filter((part) => part !== undefined).join(':')
  const where = path === '' ? '' : `${path}: `
  return `${place}: ${severity}: ${where}${message}${fix === undefined ? '' : `; ${fix}`}`
}

/** `['a', 'b', 0]` → `a.b[0]` */
export function formatPath(path: DocumentPath): string {
  return path.map((step, index) => (typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`)).join('')
}

/** A source without lines, for values that come from code or the command line. */
export function namedSource(file: string): Source {
  return { file, position: () => undefined }
}

/** The nearest of `known` to `word`, for “did you mean”; `undefined` where none is near. */
export function nearestName(word: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((name) => ({ name, distance: editDistance(word.toLowerCase(), name.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)
  const best = ranked[0]
  return best && best.distance <= Math.max(1, Math.floor(word.length / 3)) ? best.name : undefined
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const substitution = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(substitution, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
