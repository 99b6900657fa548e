import type { Problems, Source, SourceDocument } from '../kit/problems.ts'
import { addProblemAt, type SourceText } from './source-text.ts'

/** Variables and where each was written. */
export interface EnvDocument extends SourceDocument {
  readonly value: Readonly<Record<string, string>>
  readonly source: Source
}

/**
 * Reads a `params.env`: `NAME=value` a line, `#` comments, an optional `export`, and one pair of quotes round the value
 * taken off (the published `params.env` of oidc-authservice says `PORT="8080"`). The last of repeated names counts.
 */
export function parseEnvText(source: SourceText, problems: Problems): EnvDocument {
  const variables = new Map<string, { value: string; line: number }>()
  for (const [index, text] of source.text.split('\n').entries()) {
    const line = text.trim()
    if (line === '' || line.startsWith('#')) continue
    const match = /^(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)=(.*)$/.exec(line)
    const place = { line: index + 1, column: 1 + text.length - text.trimStart().length }
    if (!match?.[1] || match[1] === '__proto__') {
      addProblemAt(source, place, {
        problems,
        severity: 'error',
        message: 'not a line of an env file',
        fix: 'write `NAME=value`',
      })
      continue
    }
    variables.set(match[1], { value: unquoted(match[2] ?? ''), line: place.line })
  }
  return envDocument(source, variables)
}

function envDocument(
  source: SourceText,
  variables: ReadonlyMap<string, { readonly value: string; readonly line: number }>,
): EnvDocument {
  const position = ([name]: readonly (string | number)[]) =>
    source.locate({ line: variables.get(String(name))?.line ?? 1, column: 1 })
  return {
    value: Object.fromEntries([...variables].map(([name, { value }]) => [name, value])),
    source: { file: source.file, position },
  }
}

function unquoted(value: string): string {
  const text = value.trim()
  return /^(?:"[^"]*"|'[^']*')$/.test(text) ? text.slice(1, -1) : text
}
