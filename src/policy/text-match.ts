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
  const exact = new Set<string>()
  const prefixes: string[] = []
  const suffixes: string[] = []
  let isAny = false
  for (const value of ignoreCase ? values.map((one) => one.toLowerCase()) : values) {
    if (value === '*') isAny = true
    else if (value.startsWith('*')) suffixes.push(value.slice(1))
    else if (value.endsWith('*')) prefixes.push(value.slice(0, -1))
    else exact.add(value)
  }
  const matchesAny = !isAny ? undefined : any === 'present' ? () => true : isNotEmpty

  return (sent) => {
    if (sent === undefined) return false
    const text = ignoreCase ? sent.toLowerCase() : sent
    if (exact.has(text)) return true
    for (const prefix of prefixes) if (text.startsWith(prefix)) return true
    for (const suffix of suffixes) if (text.endsWith(suffix)) return true
    return matchesAny?.(text) ?? false
  }
}

/** RE2's `.+` over the whole text: a dot is no line feed. */
export function isNotEmpty(text: string): boolean {
  return text !== '' && !text.includes('\n')
}
