/** The path of a request target as Go's `net/url` reads it. */
export interface GoPath {
  /** Decoded, one character per byte. */
  readonly decoded: string
  /** As sent where its encoding is valid, else encoded anew (`URL.EscapedPath`). */
  readonly escaped: string
}

/** Reads a path; `undefined` for one with a broken escape. */
export function readGoPath(raw: string): GoPath | undefined {
  if (/^[A-Za-z0-9\-_.~$&+,/:;=@]*$/.test(raw)) return { decoded: raw, escaped: raw }
  if (/%(?![0-9A-Fa-f]{2})/.test(raw)) return undefined
  const decoded = raw.replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  const isValid = /^[A-Za-z0-9\-_.~$&+,/:;=@!'()*[\]%]*$/.test(raw)
  return { decoded, escaped: isValid ? raw : escapeGoPath(decoded) }
}

/** Encodes a decoded path as Go does (net/url `escape`, mode `encodePath`). */
export function escapeGoPath(decoded: string): string {
  return decoded.replace(/[^A-Za-z0-9\-_.~$&+,/:;=@]/g, (one) => {
    const hex = one.charCodeAt(0).toString(16).toUpperCase()
    return `%${hex.padStart(2, '0')}`
  })
}

/** A path without `//`, `.` and `..`, with its last slash (gorilla/mux `cleanPath`). */
export function cleanGoPath(path: string): string {
  if (!/\/(?:\/|\.)/.test(path) && path.startsWith('/')) return path
  const kept: string[] = []
  for (const segment of path.split('/')) {
    if (segment === '..') kept.pop()
    else if (segment !== '' && segment !== '.') kept.push(segment)
  }
  const clean = `/${kept.join('/')}`
  return path.endsWith('/') && clean !== '/' ? `${clean}/` : clean
}

/** UTF-8 text as its bytes, one character each: what a decoded path is compared with. */
export function bytesOfText(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}

/** The text of such bytes; what is no UTF-8 becomes U+FFFD. */
export function textOfBytes(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8')
}
