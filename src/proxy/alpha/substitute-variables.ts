/** A text with its variables filled in, or why that cannot be. */
export type Substituted = { readonly text: string } | { readonly problem: string; readonly offset: number }

type Variables = Readonly<Record<string, string | undefined>>

/**
 * Fills `$NAME`, `${NAME}`, `${NAME:-default}` (also `-`, `:=`, `=`, `+`, `:+`) from variables; one that is not there is
 * empty. `$$` is a dollar sign, and `$1`, of patterns and rewrites, stays (oauth2-proxy pkg/apis/options/load.go
 * `loadAndSubstituteEnvs`, a8m/envsubst).
 */
export function substituteVariables(text: string, variables: Variables): Substituted {
  const open = /(?<!\$)(?:\$\$)*\$\{(?![^}\r\n]*\})/.exec(text)
  if (open) return { problem: '`${` without its closing brace', offset: open.index }
  return { text: text.replace(reference, (...found) => filledIn(found as unknown as Match, variables)) }
}

const reference =
  /\$(?:(?<dollar>\$)|(?<digits>\d+)|(?<plain>[\p{L}\p{Nd}_]+)|\{(?<name>[\p{L}\p{Nd}_]+)(?:(?<operator>:?[-=+])(?<other>[^}\r\n]*))?\})/gu

interface Groups {
  readonly dollar?: string
  readonly digits?: string
  readonly plain?: string
  readonly name?: string
  readonly operator?: string
  readonly other?: string
}
/** The arguments of a replacer: the whole match first, the named groups last. */
type Match = readonly [whole: string, ...string[], Groups]

function filledIn(match: Match, variables: Variables): string {
  const [whole] = match
  // a replacer's last argument is the groups of a pattern that has named ones
  const { dollar, digits, plain, name = '', operator, other = '' } = match.at(-1) as Groups
  if (dollar !== undefined) return '$'
  if (digits !== undefined || plain === '_') return whole
  if (plain !== undefined) return variables[plain] ?? ''
  const value = variables[name]
  if (operator === undefined) return value ?? ''
  const alternative = other.startsWith('$') ? (variables[other.slice(1)] ?? '') : other
  if (operator.endsWith('+')) return value === undefined ? '' : alternative
  const isMissing = operator.startsWith(':') ? !value : value === undefined
  return isMissing ? alternative : (value ?? '')
}
