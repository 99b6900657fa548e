/** The scopes of a `scope` parameter (RFC 6749 §3.3): space-separated, each once, in order. */
export function parseScopes(text: string | null | undefined): string[] {
  return [...new Set((text ?? '').split(' ').filter((scope) => scope !== ''))]
}
