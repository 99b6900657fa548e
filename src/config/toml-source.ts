import { parse, TomlError } from 'smol-toml'
import type { Problems, SourceDocument } from '../kit/problems.ts'
import { addProblemAt, type Position, type SourceText } from './source-text.ts'

/** Reads a TOML text (`oauth2_proxy.cfg`); `undefined` and a problem where it is none. */
export function parseToml(source: SourceText, problems: Problems): SourceDocument | undefined {
  try {
    const value = parse(source.text)
    const places = keyPlaces(source.text)
    const position = (path: readonly (string | number)[]) => source.locate(placeOf(places, path))
    return { value, source: { file: source.file, position } }
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const [reason = ''] = error.message.replace(/^Invalid TOML document: /, '').split('\n')
    const fix = reason === 'invalid value' ? { fix: 'write texts in quotes' } : {}
    addProblemAt(source, error, { problems, severity: 'error', message: `not valid TOML: ${reason}`, ...fix })
    return undefined
  }
}

type Places = ReadonlyMap<string, Position>

/** The place of each key (lower case, `table.key`): oauth2-proxy's TOML is flat, its keys stand first on their lines. */
function keyPlaces(text: string): Places {
  const places = new Map<string, Position>()
  let table = ''
  for (const [index, line] of text.split('\n').entries()) {
    const header = /^\s*\[+\s*([^\]]+?)\s*\]+/.exec(line)?.[1]
    if (header !== undefined) table = `${header}.`
    const key = header ?? /^\s*(["']?)([\w.-]+)\1\s*=/.exec(line)?.[2]
    if (key === undefined) continue
    const name = (header === undefined ? `${table}${key}` : key).toLowerCase()
    if (!places.has(name)) places.set(name, { line: index + 1, column: line.search(/\S/) + 1 })
  }
  return places
}

function placeOf(places: Places, path: readonly (string | number)[]): Position {
  const keys = path.filter((step) => typeof step === 'string').map((key) => key.toLowerCase())
  for (let length = keys.length; length > 0; length -= 1) {
    const place = places.get(keys.slice(0, length).join('.'))
    if (place) return place
  }
  return { line: 1, column: 1 }
}
