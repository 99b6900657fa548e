/**
 * Room `config`: reads what people write (gatehouse.yaml and the originals' own files, plain or inside Kubernetes
 * manifests) into the typed configuration of the parts, and remembers for every value the file and line it came from.
 * It opens no part and no connection; whatever is wrong becomes a problem, never an exception.
 */
import type { Problem, Problems } from '../kit/problems.ts'

/** A place in a text; both count from 1. */
export interface Position {
  readonly line: number
  readonly column: number
}

/** A text and the way back to the file it was found in: a whole file, one document of it, or a value inside one. */
export interface SourceText {
  readonly file: string
  readonly text: string
  /** Where a place of `text` lies in `file`. */
  locate(position: Position): Position
}

/** The whole text of a file. */
export function fileText(file: string, text: string): SourceText {
  return { file, text: text.startsWith('\uFEFF') ? text.slice(1) : text, locate: (position) => position }
}

/** A text all of whose places are one place of the file, e.g. a decoded base64 value. */
export function textAt(file: string, text: string, position: Position): SourceText {
  return { file, text, locate: () => position }
}

/** Records a problem at a place of a text. */
export function addProblemAt(
  { file, locate }: SourceText,
  position: Position,
  { problems, ...problem }: { problems: Problems } & Pick<Problem, 'severity' | 'message' | 'fix'>,
): void {
  problems.list.push({ ...problem, file, ...locate(position), path: '' })
}

/** Turns offsets of a text into places by its line starts. */
export function positionsOf(text: string): (offset: number) => Position {
  const starts = [0]
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return (offset) => {
    let low = 0
    let high = starts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((starts[middle] ?? 0) <= offset) low = middle
      else high = middle - 1
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 }
  }
}
