import { decodeHeader } from '../../http/header-text.ts'

const short: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
}

/** A text of a request in quotes as Go's `%q` writes it: what could end the line, or steer a terminal, is escaped. */
export function goQuote(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text) && !/["\\]/.test(text)) return `"${text}"`
  const decoded = decodeHeader(text)
  // What is no UTF-8 stays as it came: bytes, which are told one by one.
  const isBytes = decoded === text && /[\x80-\xff]/.test(text)
  const strange = isBytes ? /["\\]|[^\x20-\x7e]/g : /["\\]|[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu
  const escaped = decoded.replace(strange, (character) => {
    const code = (character.codePointAt(0) ?? 0).toString(16)
    if (Object.hasOwn(short, character)) return short[character] ?? ''
    if (code.length <= 2) return `\\x${code.padStart(2, '0')}`
    return code.length <= 4 ? `\\u${code.padStart(4, '0')}` : `\\U${code.padStart(8, '0')}`
  })
  return `"${escaped}"`
}
