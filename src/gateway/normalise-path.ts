import type { GatewayMode } from './gateway-mode.ts'

/** Istio's `meshConfig.pathNormalization.normalization`; DEFAULT is BASE. */
export type PathNormalisation = 'NONE' | 'BASE' | 'MERGE_SLASHES' | 'DECODE_AND_MERGE_SLASHES'

/** Characters a path may keep as they are (Chromium url_canon_path, which Envoy canonicalises with). */
const plain = flags("!$&'()*+,/:;=@[]-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
/** Characters that are decoded where they come percent-encoded. */
const unreserved = flags('-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz')

/**
 * A path without query and fragment in the form it is routed, judged and forwarded in; `undefined` for one that must be
 * refused (`%00`, or no leading slash). What it returns, it returns unchanged when asked again. Where slashes are merged
 * Envoy makes `//` of a path of slashes alone (`PathUtil::mergeSlashes`), which a rule on `/` does not mean; natively it is `/`.
 */
export function normalisePath(
  path: string,
  mode: PathNormalisation,
  gatewayMode: GatewayMode = 'istio',
): string | undefined {
  if (path.charCodeAt(0) !== slash) return undefined
  if (mode === 'NONE') return path
  const decoded = mode === 'DECODE_AND_MERGE_SLASHES' ? decodeSlashes(path) : path
  const canonical = needsWork(decoded) ? canonicalise(decoded) : decoded
  if (mode === 'BASE' || canonical === undefined) return canonical
  const merged = mergeSlashes(canonical)
  return gatewayMode === 'istio' && merged === '/' && canonical !== '/' ? '//' : merged
}

const slash = 47
const dot = 46
const backslash = 92
const percent = 37

/** Most paths are canonical already: only plain characters and no segment that starts with a dot. */
function needsWork(path: string): boolean {
  for (let at = 0; at < path.length; at += 1) {
    const code = path.charCodeAt(at)
    if (!plain[code]) return true
    if (code === dot && path.charCodeAt(at - 1) === slash) return true
  }
  return false
}

function decodeSlashes(path: string): string {
  if (!path.includes('%')) return path
  return path.replace(/%2f/gi, '/').replace(/%5c/gi, '\\')
}

function mergeSlashes(path: string): string {
  return path.includes('//') ? path.replace(/\/{2,}/g, '/') : path
}

/** Decodes what need not be encoded, encodes what must be, turns `\` to `/` and resolves dot segments. */
function canonicalise(path: string): string | undefined {
  const decoded = decodeUnreserved(path)
  if (decoded === undefined) return undefined
  const kept: string[] = []
  const segments = decoded.split('/')
  for (const [index, segment] of segments.entries()) {
    const isLast = index === segments.length - 1
    if (segment === '..' && kept.length > 1) kept.pop()
    if (segment !== '.' && segment !== '..') kept.push(segment)
    else if (isLast) kept.push('')
  }
  return kept.join('/')
}

/**
 * `undefined` where `%00` or a NUL is in it. A `%` that begins no escape is kept, and written `%25` where what follows
 * it would, once decoded, look like an escape of its own (`%%32%65`).
 */
function decodeUnreserved(path: string): string | undefined {
  let out = ''
  for (let at = 0; at < path.length; at += 1) {
    const code = path.charCodeAt(at)
    if (code === backslash) out += '/'
    else if (code !== percent) {
      if (code === 0) return undefined
      out += plain[code] ? path[at] : encode(code)
    } else {
      const value = hexPair(path, at + 1)
      if (value === 0) return undefined
      if (value === undefined) out += beginsNestedEscape(path, at) ? '%25' : '%'
      else {
        out += unreserved[value] ? String.fromCharCode(value) : path.slice(at, at + 3)
        at += 2
      }
    }
  }
  return out
}

/** Whether the `%` at this place, no escape as written, would become one once what follows is decoded. */
function beginsNestedEscape(path: string, at: number): boolean {
  let next = at + 1
  for (let digits = 0; digits < 2; digits += 1) {
    const value = path.charCodeAt(next) === percent ? hexPair(path, next + 1) : undefined
    const digit = value === undefined ? path.charCodeAt(next) : value
    if (!isHexDigit(digit)) return false
    next += value === undefined ? 1 : 3
  }
  return true
}

function hexPair(text: string, at: number): number | undefined {
  if (!isHexDigit(text.charCodeAt(at)) || !isHexDigit(text.charCodeAt(at + 1))) return undefined
  return Number.parseInt(text.slice(at, at + 2), 16)
}

function isHexDigit(code: number): boolean {
  return (code >= 48 && code <= 57) || (code >= 65 && code <= 70) || (code >= 97 && code <= 102)
}

/** The bytes Node read as Latin-1 characters, percent-encoded. */
function encode(code: number): string {
  return code > 255
    ? encodeURIComponent(String.fromCharCode(code))
    : `%${code.toString(16).toUpperCase().padStart(2, '0')}`
}

function flags(characters: string): readonly boolean[] {
  const table = new Array<boolean>(256).fill(false)
  for (const character of characters) table[character.charCodeAt(0)] = true
  return table
}
