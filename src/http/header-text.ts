/**
 * A header's value as text: HTTP hands over bytes, one character each, and Envoy writes claims into them as UTF-8. A
 * value that is no UTF-8 stays as it came.
 */
export function headerText(headers: Headers, name: string): string | undefined {
  const value = headers.get(name)
  return value === null ? undefined : decodeHeader(value)
}

/** The same for a value at hand. */
export function decodeHeader(value: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(value, 'latin1'))
  } catch {
    return value
  }
}
