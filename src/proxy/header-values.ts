/**
 * What a claim says, as a header value: UTF-8 bytes, one `char` each, as Go writes them. Empty for a text that would not
 * arrive as it is: with control characters, or blanks around it, which are cut off on the way, so that one user or group
 * would be taken for another (the original sends it all the same).
 */
export function headerValue(text: string): string {
  if (/^[\x21-\x7e]*$/.test(text)) return text
  return isDistinct(text) ? Buffer.from(text, 'utf8').toString('latin1') : ''
}

/** A secret as a header value: what a file ends with is cut off. */
export function secretHeaderValue(text: string): string {
  return headerValue(text.trim())
}

function isDistinct(text: string): boolean {
  return !/\p{Cc}/u.test(text) && text.trim() === text
}

/** Values joined by commas. One that has a comma itself could be taken for two, so it is left out; see `headerValue`. */
export function joinedHeaderValue(values: readonly string[]): string {
  return values
    .filter((value) => !value.includes(','))
    .map(headerValue)
    .filter(Boolean)
    .join(',')
}
