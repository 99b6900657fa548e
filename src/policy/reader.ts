/**
 * Room `policy`: Istio's authorization as a pure engine (read documents, compile conditions, decide with reasons). No
 * I/O, no clock, no HTTP: facts of a request in, a decision out.
 */
import { type DocumentPath, formatPath, nearestName, type Problems, type Source } from '../kit/problems.ts'

/** Where something was written; lines and columns count from 1. */
export interface Place {
  readonly file: string
  readonly line?: number
  readonly column?: number
  /** Inside the document: `spec.rules[0].to[0].operation.paths`. */
  readonly path: string
}

/** A value inside a document with the way back to its lines; every misfit becomes a problem at its place. */
export class Reader {
  readonly value: unknown
  readonly source: Source
  readonly path: DocumentPath
  readonly problems: Problems

  constructor(value: unknown, source: Source, problems: Problems, path: DocumentPath = []) {
    this.value = value
    this.source = source
    this.problems = problems
    this.path = path
  }

  get place(): Place {
    return { file: this.source.file, ...this.source.position(this.path), path: formatPath(this.path) }
  }

  /** Absent and `null` are the same in Kubernetes documents. */
  get isPresent(): boolean {
    return this.value !== undefined && this.value !== null
  }

  error(message: string, fix?: string): void {
    this.problems.error(this.source, this.path, message, fix)
  }

  warn(message: string, fix?: string): void {
    this.problems.warn(this.source, this.path, message, fix)
  }

  /** The member of that name; absent where this is no object. */
  field(name: string): Reader {
    const members = isObject(this.value) ? this.value : {}
    const value = Object.hasOwn(members, name) ? members[name] : undefined
    return new Reader(value, this.source, this.problems, [...this.path, name])
  }

  /** The names of the members; none where this is absent. */
  names(): readonly string[] {
    if (!this.isPresent) return []
    if (isObject(this.value)) return Object.keys(this.value)
    this.error(`must be an object, got ${describe(this.value)}`)
    return []
  }

  /** The items of a list; none where it is absent. */
  items(): readonly Reader[] {
    if (!this.isPresent) return []
    if (Array.isArray(this.value)) {
      return this.value.map((item, index) => new Reader(item, this.source, this.problems, [...this.path, index]))
    }
    this.error(`must be a list, got ${describe(this.value)}`)
    return []
  }

  /** A text; `undefined` where it is absent or something else. */
  text(): string | undefined {
    if (typeof this.value === 'string') return this.value
    if (this.isPresent) this.error(`must be a text, got ${describe(this.value)}`, 'put it in quotes')
    return undefined
  }

  /** Every text of a list of texts. */
  texts(): readonly string[] {
    return this.items().flatMap((item) => item.text() ?? [])
  }

  /** A whole number, also one written as text. */
  integer(): number | undefined {
    const number = typeof this.value === 'string' ? Number(this.value) : this.value
    if (typeof number === 'number' && Number.isSafeInteger(number)) return number
    if (this.isPresent) this.error(`must be a whole number, got ${describe(this.value)}`)
    return undefined
  }

  flag(): boolean | undefined {
    if (typeof this.value === 'boolean') return this.value
    if (this.isPresent) this.error(`must be true or false, got ${describe(this.value)}`)
    return undefined
  }

  /** Names members that mean nothing here: errors where ignoring one could let a request through, else warnings. */
  refuseUnknown(known: readonly string[], severity: 'error' | 'warning' = 'error'): void {
    for (const name of this.names()) {
      if (known.includes(name)) continue
      const near = nearestName(name, known)
      const fix = near === undefined ? `known: ${known.join(', ')}` : `did you mean \`${near}\`?`
      this.problems.add(severity, this.source, [...this.path, name], `unknown field \`${name}\``, fix)
    }
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'an object'
  return typeof value === 'string' ? `\`${value}\`` : `${typeof value} \`${String(value)}\``
}
