import { parsePathScope } from './path-scope.ts'

/** What somebody wants a personal access token for. */
export interface TokenWish {
  readonly label: string
  readonly paths: readonly string[]
  readonly lifetimeDays: number
}

/** Longer ones are forgotten by their owners. */
const longestDays = 366
const defaultDays = 30
const longestLabel = 80
/** More are looked through at every request, and do not fit into a link. */
const mostPaths = 50
const longestPath = 500

/**
 * Reads the fields `label`, `days` and `path` (as often as there are paths, or several in one, by lines, commas or
 * spaces) of a form, or says what is wrong with one of them.
 */
export function parseTokenWish(form: URLSearchParams): TokenWish | { readonly problem: string } {
  const label = (form.get('label') ?? '').trim()
  if (label === '') return { problem: 'the token needs a name, by which you will know it again' }
  // Who is asked to allow it must see what it says: nothing invisible, nothing that reads backwards.
  if (label.length > longestLabel || /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u.test(label)) {
    return { problem: `the name has more than ${longestLabel} characters, or unreadable ones` }
  }
  const days = form.get('days') || String(defaultDays)
  const lifetimeDays = Number(days)
  if (!/^\d+$/.test(days) || lifetimeDays < 1 || lifetimeDays > longestDays) {
    return { problem: `\`${days}\` days are not offered; write 1 to ${longestDays}` }
  }
  const split = form.getAll('path').flatMap((text) => text.split(/[\s,]+/))
  const texts = split.filter((text) => text !== '')
  if (texts.length > mostPaths || texts.some((text) => text.length > longestPath)) {
    return { problem: `a token has at most ${mostPaths} paths, of at most ${longestPath} characters` }
  }
  const scope = parsePathScope(texts)
  return 'problem' in scope ? scope : { label, paths: scope.paths, lifetimeDays }
}

/** A wish as it was kept; `undefined` where the value is none. */
export function readTokenWish(value: unknown): TokenWish | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { label, paths, lifetimeDays } = value as { readonly [key in keyof TokenWish]?: unknown }
  const isList = Array.isArray(paths) && paths.every((path) => typeof path === 'string')
  if (typeof label !== 'string' || !isList || typeof lifetimeDays !== 'number') return undefined
  return { label, paths, lifetimeDays }
}
