/** Which bytes of a file are wanted: the first and the last. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/**
 * The range a `Range` header asks for (RFC 9110 §14.1.2). `all`: it asks for none, or for several, which a server may
 * answer with everything; `none`: it cannot be had.
 */
export function parseByteRange(header: string | undefined, size: number): ByteRange | 'all' | 'none' {
  if (header === undefined) return 'all'
  if (!header.startsWith('bytes=')) return 'none'
  if (header.includes(',')) return 'all'
  const match = /^bytes=\s*(\d{0,15})-(\d{0,15})\s*$/.exec(header)
  if (!match) return 'none'
  const [, first = '', last = ''] = match
  if (first === '' && last === '') return 'none'
  if (first === '') {
    const length = Math.min(Number(last), size)
    return length === 0 ? 'none' : { start: size - length, end: size - 1 }
  }
  const start = Number(first)
  const end = last === '' ? size - 1 : Math.min(Number(last), size - 1)
  if (last !== '' && Number(last) < start) return 'none'
  return start >= size ? 'none' : { start, end }
}
