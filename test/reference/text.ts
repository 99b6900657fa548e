/**
 * The reference evaluator: Istio's rules as its documentation and source tell them, written to be read beside them and to
 * be slow. It imports nothing of the product; `test/features/corpus-reference.test.ts` compares the two.
 */

/** One pattern: `*` alone, then a leading star (suffix), then a trailing star (prefix), else the text itself. */
export function textMatches(pattern: string, text: string): boolean {
  if (pattern === '*') return text.length > 0
  if (pattern[0] === '*') return text.slice(-(pattern.length - 1)) === pattern.slice(1)
  if (pattern[pattern.length - 1] === '*') return text.indexOf(pattern.slice(0, -1)) === 0
  return pattern === text
}

/** Host, method and header values: a lone `*` asks only that the text is there. */
export function presentMatches(pattern: string, text: string): boolean {
  return pattern === '*' || textMatches(pattern, text)
}

/** A path pattern: a template where it has `{*}` or `{**}`. */
export function pathMatches(pattern: string, path: string): boolean {
  if (!pattern.includes('{*}') && !pattern.includes('{**}')) return textMatches(pattern, path)
  const character = "[a-zA-Z0-9._~%!$&'()+,;:@=*-]"
  const parts = pattern.split(/(\{\*\*\}|\{\*\})/).map((part) => {
    if (part === '{**}') return `(?:${character}|/)*`
    if (part === '{*}') return `${character}+`
    return part.replace(/[^a-zA-Z0-9/]/g, (one) => `\\${one}`)
  })
  return new RegExp(`^${parts.join('')}$`).test(path)
}

/** `iss/sub` of a verified token against a pattern that is cut at its last slash. */
export function principalMatches(pattern: string, iss: unknown, sub: unknown): boolean {
  if (typeof iss !== 'string' || typeof sub !== 'string') return false
  const slash = pattern.lastIndexOf('/')
  const issuer = pattern.slice(0, slash)
  const subject = pattern.slice(slash + 1)
  if (pattern === '*') return iss !== '' && sub !== ''
  if (slash === -1) {
    if (pattern.startsWith('*')) return iss !== '' && sub.endsWith(pattern.slice(1))
    if (pattern.endsWith('*')) return sub !== '' && iss.startsWith(pattern.slice(0, -1))
    return iss === pattern && sub === ''
  }
  if (pattern.startsWith('*')) return textMatches(issuer, iss) && sub === subject
  if (pattern.endsWith('*')) return iss === issuer && textMatches(subject, sub)
  return iss === issuer && sub === subject
}

/** An address in a range, both written out as bits; an address of the other family never is. */
export function addressMatches(range: string, address: string): boolean {
  const [base = '', length] = range.split('/')
  const wanted = bitsOf(base)
  const found = bitsOf(address)
  if (wanted === undefined || found === undefined || wanted.length !== found.length) return false
  const count = length === undefined ? wanted.length : Number(length)
  return wanted.slice(0, count) === found.slice(0, count)
}

export function bitsOf(written: string): string | undefined {
  // an IPv6 address may end in four numbers, as IPv4 is written
  const address = written.replace(/(?<=:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...numbers: string[]) => {
    const [a = '', b = '', c = '', d = ''] = numbers.slice(0, 4).map((one) => Number(one).toString(16).padStart(2, '0'))
    return `${a}${b}:${c}${d}`
  })
  if (/^(?:(?:0|[1-9]\d*)(?:\.|$)){4}$/.test(address)) {
    return address
      .split('.')
      .map((part) => Number(part).toString(2).padStart(8, '0'))
      .join('')
  }
  if (!/^[0-9a-f:]+$/i.test(address) || !address.includes(':')) return undefined
  const [head = '', tail] = address.split('::')
  const front = head === '' ? [] : head.split(':')
  const back = tail === undefined || tail === '' ? [] : tail.split(':')
  const middle = tail === undefined ? [] : new Array<string>(8 - front.length - back.length).fill('0')
  return [...front, ...middle, ...back].map((part) => Number.parseInt(part, 16).toString(2).padStart(16, '0')).join('')
}
