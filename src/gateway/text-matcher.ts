import { RE2JS } from 're2js'
import type { Reader } from '../policy/reader.ts'

/** A VirtualService `StringMatch`: exact, prefix, or an RE2 regular expression over the whole text. */
export type TextMatch =
  | { readonly kind: 'exact' | 'prefix'; readonly text: string }
  | { readonly kind: 'regex'; readonly text: string; readonly pattern: RE2JS }

/** Reads a `StringMatch`; an empty object (only for headers: "is there") is `undefined`. */
export function parseTextMatch(reader: Reader): TextMatch | undefined {
  reader.refuseUnknown(['exact', 'prefix', 'regex'])
  const given = (['exact', 'prefix', 'regex'] as const).filter((kind) => reader.field(kind).isPresent)
  if (given.length > 1) reader.error('only one of `exact`, `prefix` and `regex` may be set')
  const kind = given[0]
  const text = kind && reader.field(kind).text()
  if (!kind || text === undefined) return undefined
  if (kind !== 'regex') return { kind, text }
  if (text === '') reader.field('regex').error('an empty expression matches nothing')
  const pattern = parseRegex(reader.field('regex'))
  return pattern && { kind, text, pattern }
}

/** Compiles an RE2 pattern (linear time, architecture §6 invariant 10); a problem where it is none. */
export function parseRegex(reader: Reader): RE2JS | undefined {
  const text = reader.text() ?? ''
  try {
    return RE2JS.compile(text)
  } catch {
    reader.error(`\`${text}\` is no RE2 regular expression`, 'lookaround and backreferences do not exist in RE2')
    return undefined
  }
}

/** Whether `text` matches; `ignoreCase` as `ignoreUriCase` says, for exact and prefix only. */
export function matchesText(match: TextMatch, text: string, ignoreCase: boolean): boolean {
  if (match.kind === 'regex') return match.pattern.matches(text)
  const [wanted, sent] = ignoreCase ? [match.text.toLowerCase(), text.toLowerCase()] : [match.text, text]
  return match.kind === 'exact' ? sent === wanted : sent.startsWith(wanted)
}
