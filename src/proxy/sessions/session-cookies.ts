import { type CookieAttributes, formatSetCookie, parseCookies } from '../../http/cookies.ts'

/** Longest `Set-Cookie` line before the value is cut into parts (oauth2-proxy pkg/sessions/cookie `maxCookieLength`). */
const maxLineLength = 4000

/**
 * The session cookie's text as the hot path needs it: the first cookie of that name, else its parts `name_0`, `name_1`,
 * … joined. Who judges a request asks several times; only the first time is it looked for.
 */
export function firstSessionText(header: string, name: string): string | undefined {
  if (header !== last.header || name !== last.name) last = { header, name, text: readFirstText(header, name) }
  return last.text
}

let last: { readonly header: string; readonly name: string; readonly text?: string | undefined } = {
  header: '',
  name: '',
}

/** In one pass from `;` to `;`, without taking the header apart. */
function readFirstText(header: string, name: string): string | undefined {
  const parts: (string | undefined)[] = []
  for (let at = 0; at < header.length; ) {
    while (header.charCodeAt(at) === space) at += 1
    const semicolon = header.indexOf(';', at)
    const end = semicolon < 0 ? header.length : semicolon
    if (header.startsWith(name, at)) {
      const equals = header.indexOf('=', at + name.length)
      const index = equals < 0 || equals > end ? undefined : partIndex(header.slice(at + name.length, equals))
      if (index === 'whole') return header.slice(equals + 1, end).trim()
      if (index !== undefined) parts[index] ??= header.slice(equals + 1, end).trim()
    }
    at = end + 1
  }
  if (parts[0] === undefined) return undefined
  const gap = Array.from(parts).indexOf(undefined)
  return parts.slice(0, gap < 0 ? undefined : gap).join('')
}

const space = 0x20

/** What stands between the cookie's name and `=`: nothing, or `_` and the number of a part, of a hundred at most. */
function partIndex(suffix: string): number | 'whole' | undefined {
  if (suffix === '') return 'whole'
  return /^_(?:0|[1-9]\d?)$/.test(suffix) ? Number(suffix.slice(1)) : undefined
}

/**
 * Every text that may be the session, best first: each cookie of that name (a sibling host may have planted one of its
 * own), then the joined parts, which the original hides behind a stale whole cookie.
 */
export function sessionTexts(header: string | undefined, name: string): string[] {
  const cookies = parseCookies(header)
  const whole = cookies.filter(([found]) => found === name).map(([, value]) => value)
  const parts = new Map(cookies.toReversed().filter(([found]) => found.startsWith(`${name}_`)))
  const joined: string[] = []
  for (let index = 0; ; index += 1) {
    const part = parts.get(`${name}_${index}`)
    if (part === undefined) break
    joined.push(part)
  }
  return [...new Set([...whole, ...(joined.length === 0 ? [] : [joined.join('')])])].slice(0, 8)
}

/** The same, one by one: nearly always the first is the session, and the header need not be taken apart. */
export function* eachSessionText(header: string | undefined, name: string): Generator<string> {
  const first = header === undefined ? undefined : firstSessionText(header, name)
  if (first === undefined) return
  yield first
  yield* sessionTexts(header, name).slice(1)
}

/** Whether a cookie of this name is (part of) the session. */
export function isSessionCookie(found: string, name: string): boolean {
  return found.startsWith(name) && /^(?:_\d+)?$/.test(found.slice(name.length))
}

/** `Set-Cookie` values that store the session and delete what an earlier one left in the browser. */
export function storeSessionCookies(
  name: string,
  value: string,
  { attributes, cookieHeader }: { attributes: CookieAttributes; cookieHeader: string | undefined },
): string[] {
  const stored = split(name, value, attributes)
  const storedNames = new Set(stored.map(([found]) => found))
  const stale = clearSessionCookies(name, { attributes, cookieHeader }, (found) => !storedNames.has(found))
  return [...stored.map(([, line]) => line), ...stale]
}

/** `Set-Cookie` values that delete the session cookies the request carried. */
export function clearSessionCookies(
  name: string,
  { attributes, cookieHeader }: { attributes: CookieAttributes; cookieHeader: string | undefined },
  isCleared: (found: string) => boolean = () => true,
): string[] {
  const names = new Set(parseCookies(cookieHeader).map(([found]) => found))
  return [...names]
    .filter((found) => isSessionCookie(found, name) && isCleared(found))
    .map((found) => formatSetCookie(found, '', { ...attributes, maxAgeSeconds: 0 }))
}

function split(name: string, value: string, attributes: CookieAttributes): (readonly [name: string, line: string])[] {
  const line = formatSetCookie(name, value, attributes)
  if (line.length <= maxLineLength) return [[name, line]]
  const parts: (readonly [string, string])[] = []
  for (let rest = value; rest !== ''; ) {
    const partName = `${name}_${parts.length}`
    const room = maxLineLength - formatSetCookie(partName, '', attributes).length
    parts.push([partName, formatSetCookie(partName, rest.slice(0, room), attributes)])
    rest = rest.slice(room)
  }
  return parts
}
