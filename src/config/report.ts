import type { DocumentPath, Source } from '../kit/problems.ts'

/** What became of something found in a directory, or missing from it. */
export type ReportKind = 'honoured' | 'changed' | 'filled in' | 'ignored'

/** One line of the report; never holds a secret. */
export interface ReportLine {
  readonly kind: ReportKind
  /** The file it is about; what was filled in beside all files has none. */
  readonly file?: string
  readonly line?: number
  /** `issuer`, `Dex configuration (ConfigMap auth/dex, key config.yaml)` */
  readonly what: string
  readonly from?: string
  readonly to?: string
  readonly why?: string
}

/** What `gatehouse up --from` tells of the files it read. */
export interface Report {
  readonly lines: readonly ReportLine[]
}

type Detail = Pick<ReportLine, 'from' | 'to' | 'why'>

/** Collects the lines of a report while a directory is read; a line is told once. */
export class ReportBook implements Report {
  readonly lines: ReportLine[] = []
  readonly #seen = new Set<string>()

  /** Records a line about the place of `path` in `source`. */
  at(kind: ReportKind, source: Source, path: DocumentPath, what: string, detail: Detail = {}): void {
    if (isOurs(source)) {
      if (kind === 'filled in') this.filled(what, detail)
      return
    }
    const line = source.position(path)?.line
    this.add({ kind, file: source.file, ...(line === undefined ? {} : { line }), what, ...detail })
  }

  /** Records a line about a whole file. */
  file(kind: ReportKind, file: string, what: string, detail: Detail = {}): void {
    this.add({ kind, file, what, ...detail })
  }

  /** Records something Gatehouse brought that stands in no file. */
  filled(what: string, detail: Detail = {}): void {
    this.add({ kind: 'filled in', what, ...detail })
  }

  add(line: ReportLine): void {
    const key = JSON.stringify(line)
    if (this.#seen.has(key)) return
    this.#seen.add(key)
    this.lines.push(line)
  }
}

/** Whether a source is a file Gatehouse brings itself, of which there is nothing to tell. */
export function isOurs({ file }: { readonly file: string }): boolean {
  return file.startsWith('gatehouse:')
}

/** The report as plain text: one block per file in the order they were read, lines in order, columns aligned. */
export function formatReport({ lines }: Report): string {
  const files = new Map<string | undefined, ReportLine[]>()
  for (const line of lines) files.set(line.file, [...(files.get(line.file) ?? []), line])
  const beside = files.get(undefined) ?? []
  files.delete(undefined)
  const blocks = [...files].map(([file, found]) => block(file ?? '', sortedByLine(found)))
  if (beside.length > 0) blocks.push(block('in no file', beside))
  return blocks.join('\n\n')
}

function block(title: string, lines: readonly ReportLine[]): string {
  const kindWidth = Math.max(...lines.map(({ kind }) => kind.length))
  const numberWidth = Math.max(...lines.map(({ line }) => String(line ?? '').length))
  const rows = lines.map((line) => {
    const place = String(line.line ?? '').padStart(numberWidth)
    return `  ${line.kind.padEnd(kindWidth)}  ${place}${numberWidth > 0 ? '  ' : ''}${sentence(line)}`
  })
  return [title, ...rows].join('\n')
}

function sentence({ what, from, to, why }: ReportLine): string {
  const change = from === undefined ? (to ?? '') : `${from} → ${to ?? ''}`
  return [what, change === '' ? '' : `: ${change}`, why === undefined ? '' : ` (${why})`].join('')
}

const sortedByLine = (lines: readonly ReportLine[]): ReportLine[] =>
  lines.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0))
