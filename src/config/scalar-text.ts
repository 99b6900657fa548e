import type { Scalar } from 'yaml'
import { type Position, positionsOf, type SourceText } from './source-text.ts'

/** The text of a YAML scalar, each of its lines mapped to the line of `outer` it was written on. */
export function scalarText({ value, type, range }: Scalar<string>, outer: SourceText): SourceText {
  const [start = 0, end = start] = range ?? []
  const written = outer.text.slice(start, end)
  const positionOf = positionsOf(outer.text)
  const lineStarts = (type?.startsWith('BLOCK') ? blockLineStarts(written, value) : flowLineStarts(written)).map(
    (offset) => positionOf(start + offset),
  )
  const locate = ({ line, column }: Position): Position => {
    const from = lineStarts[line - 1] ?? lineStarts.at(-1) ?? positionOf(start)
    return outer.locate({ line: from.line, column: from.column + column - 1 })
  }
  return { file: outer.file, text: value, locate }
}

/** Offsets in a block scalar (`|`, `>`) where the lines of its value begin: one line each, indented alike. */
function blockLineStarts(written: string, value: string): number[] {
  const [, ...lines] = written.split('\n')
  const text = value.split('\n')
  const first = lines.findIndex((line) => line.trim() !== '')
  const indent = leadingSpaces(lines[first] ?? '') - leadingSpaces(text[first] ?? '')
  let offset = written.indexOf('\n') + 1
  return lines.map((line) => {
    const start = offset + Math.min(indent, line.length)
    offset += line.length + 1
    return start
  })
}

const lineBreaks = /\r?\n(?:[ \t]*\r?\n)*[ \t]*/y

/** Offsets in a quoted or plain scalar behind each line break its value has, written (`\n`) or folded (empty lines). */
function flowLineStarts(written: string): number[] {
  const quoted = written.startsWith('"')
  const starts = [quoted || written.startsWith("'") ? 1 : 0]
  for (let at = 0; at < written.length; ) {
    if (quoted && written[at] === '\\') {
      if (written[at + 1] === 'n') starts.push(at + 2)
      at += 2
      continue
    }
    lineBreaks.lastIndex = at
    const folded = lineBreaks.exec(written)
    if (!folded) {
      at += 1
      continue
    }
    const breaks = folded[0].split('\n').length - 1
    at += folded[0].length
    // one break is a space, n breaks are n - 1 line ends (YAML 1.2.2 §6.5)
    for (let count = 1; count < breaks; count += 1) starts.push(at)
  }
  return starts
}

const leadingSpaces = (line: string): number => line.length - line.trimStart().length
