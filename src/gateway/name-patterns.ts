/** Header names of an extension provider's lists: exact, `prefix*`, `*suffix`, without regard to case. */
export function compileNamePatterns(patterns: readonly string[]): (lowerCaseName: string) => boolean {
  const exact = new Set<string>()
  const prefixes: string[] = []
  const suffixes: string[] = []
  for (const pattern of patterns.map((one) => one.toLowerCase())) {
    if (pattern.startsWith('*')) suffixes.push(pattern.slice(1))
    else if (pattern.endsWith('*')) prefixes.push(pattern.slice(0, -1))
    else exact.add(pattern)
  }
  return (name) =>
    exact.has(name) || prefixes.some((prefix) => name.startsWith(prefix)) || suffixes.some((end) => name.endsWith(end))
}
