/**
 * Text as a header value: UTF-8 bytes, one `char` each, as Go writes them; control characters, which could end the
 * header, become spaces.
 */
export function headerValue(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text)) return text.trim()
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach a header
  const clean = text.replace(/[\x00-\x1f\x7f]/g, ' ').trim()
  return Buffer.from(clean, 'utf8').toString('latin1')
}

/** Values joined by commas. One that has a comma itself could be taken for two, so it is left out. */
export function joinedHeaderValue(values: readonly string[]): string {
  return headerValue(values.filter((value) => !value.includes(',')).join(','))
}
