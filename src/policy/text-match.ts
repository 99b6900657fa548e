/** How a lone `*` reads: any text but the empty one (Envoy regex `.+`), or merely being there (`present_match`). */
export interface TextMatchOptions {
  readonly any?: 'not-empty' | 'present'
  readonly ignoreCase?: boolean
}

/** Whether a text matches; one that is not there matches nothing. */
export type TextTest = (text: string | undefined) => boolean

/**
 * Istio's string match (pilot/pkg/security/authz/matcher/string.go). Only one `*` means something, looked for in this
 * order: `*` alone, leading (suffix match), trailing (prefix match); any other is a literal star. The test holds when
 * one of `values` matches.
 */
export function compileTexts(
  values: readonly string[],
  { any = 'not-empty', ignoreCase = false }: TextMatchOptions = {},
): TextTest {
  const matches = compileAll(ignoreCase ? values.map((value) => value.toLowerCase()) : values, any)
  return ignoreCase ? (text) => matches(text?.toLowerCase()) : matches
}

function compileAll(values: readonly string[], any: NonNullable<TextMatchOptions['any']>): TextTest {
  const [only] = values
  if (only !== undefined && values.length === 1) return compileOne(only, any)
  const exact = new Set(values.filter((value) => !value.startsWith('*') && !value.endsWith('*')))
  const patterns = values.filter((value) => !exact.has(value)).map((value) => compileOne(value, any))
  return (text) => {
    if (text === undefined) return false
    if (exact.has(text)) return true
    for (const matches of patterns) if (matches(text)) return true
    return false
  }
}

function compileOne(value: string, any: NonNullable<TextMatchOptions['any']>): TextTest {
  if (value === '*') return any === 'present' ? (text) => text !== undefined : isNotEmpty
  if (value.startsWith('*')) {
    const end = value.slice(1)
    return (text) => text?.endsWith(end) ?? false
  }
  if (value.endsWith('*')) {
    const start = value.slice(0, -1)
    return (text) => text?.startsWith(start) ?? false
  }
  return (text) => text === value
}

/** RE2's `.+` over the whole text: a dot is no line feed. */
export function isNotEmpty(text: string | undefined): boolean {
  return text !== undefined && text !== '' && !text.includes('\n')
}
