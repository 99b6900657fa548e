import { parse, TomlError } from 'smol-toml'
import type { Problems, SourceDocument } from '../kit/problems.ts'
import { addProblemAt, type SourceText } from './source-text.ts'

/** Reads a TOML text (`oauth2_proxy.cfg`); `undefined` and a problem where it is none. */
export function parseToml(source: SourceText, problems: Problems): SourceDocument | undefined {
  try {
    const value = parse(source.text)
    const lines = keyLines(source.text)
    const position = (path: readonly (string | number)[]) => source.locate({ line: lineOf(lines, path), column: 1 })
    return { value, source: { file: source.file, position } }
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const [reason = ''] = error.message.replace(/^Invalid TOML document: /, '').split('\n')
    addProblemAt(source, error, { problems, severity: 'error', message: `not valid TOML: ${reason}` })
    return undefined
  }
}

/** The line of each key (lower case, `table.key`): oauth2-proxy's TOML is flat, its keys stand first on their lines. */
function keyLines(text: string): ReadonlyMap<string, number> {
  const lines = new Map<string, number>()
  let table = ''
  for (const [index, line] of text.split('\n').entries()) {
    const header = /^\s*\[+\s*([^\]]+?)\s*\]+/.exec(line)?.[1]
    if (header !== undefined) table = `${header}.`
    const key = header ?? /^\s*(["']?)([\w.-]+)\1\s*=/.exec(line)?.[2]
    if (key === undefined) continue
    const name = (header === undefined ? `${table}${key}` : key).toLowerCase()
    if (!lines.has(name)) lines.set(name, index + 1)
  }
  return lines
}

function lineOf(lines: ReadonlyMap<string, number>, path: readonly (string | number)[]): number {
  const keys = path.filter((step) => typeof step === 'string').map((key) => key.toLowerCase())
  for (let length = keys.length; length > 0; length -= 1) {
    const line = lines.get(keys.slice(0, length).join('.'))
    if (line !== undefined) return line
  }
  return 1
}
