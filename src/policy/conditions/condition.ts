import type { RequestFacts, Test } from '../facts.ts'

/** One kind of condition: how its values are checked and compiled, and what it says of a request. */
export interface ConditionKind {
  /** Why `value` cannot stand here, lower case, or `undefined`. */
  mistake?(value: string): string | undefined
  /** Why the bracketed name of a `when` key (`request.headers[name]`) cannot stand there, or `undefined`. */
  argumentMistake?(argument: string): string | undefined
  /**
   * A test that holds when the request matches one of `values`. `argument` is the bracketed name of a `when` key, the
   * empty text elsewhere.
   */
  compile(values: readonly string[], argument: string): Test
  /** The reason when a value matched. */
  matched(facts: RequestFacts, about: About): string
  /** The reason when none did. */
  missed(facts: RequestFacts, about: About): string
  /** How rules are found by this condition, so that hundreds of them cost what ten do; see `rule-index.ts`. */
  readonly lookup?: Lookup
  /** Reads who is calling, which is unknown when a CUSTOM rule is judged, so Istio forbids it there. */
  readonly needsIdentity?: true
}

/** A condition that can only hold when some text of the request begins in a certain way. */
export interface Lookup {
  /** What of a request the values are about; `undefined` where it is not there, so that no value can match. */
  textsOf(facts: RequestFacts, argument: string): string | readonly string[] | undefined
  /** What every text that matches `value` begins with; possibly nothing. */
  prefixOf(value: string): string
}

/** What every text that matches an Istio string match begins with. */
export function literalPrefix(value: string): string {
  if (value.startsWith('*')) return ''
  return value.endsWith('*') ? value.slice(0, -1) : value
}

/** What a reason is about: the values that matched (or all of those that did not) and the bracketed name. */
export interface About {
  readonly values: readonly string[]
  readonly argument: string
}

/** `a`, `b` or `c`, each in backticks. */
export function anyOf(values: readonly string[]): string {
  return values.map((value) => `\`${value}\``).join(' or ')
}

/** Both reasons of a condition about one text of the request. */
export function textReasons(
  name: (argument: string) => string,
  found: (facts: RequestFacts, argument: string) => string | undefined,
): Pick<ConditionKind, 'matched' | 'missed'> {
  return {
    matched: (facts, { values, argument }) =>
      `${name(argument)} \`${found(facts, argument)}\` matches ${anyOf(values)}`,
    missed: (facts, { values, argument }) => {
      const text = found(facts, argument)
      if (text === undefined) return `${name(argument)} is absent, so it does not match ${anyOf(values)}`
      return `${name(argument)} \`${text}\` does not match ${anyOf(values)}`
    },
  }
}
