import { type CookieAttributes, formatSetCookie, parseCookies } from '../../http/cookies.ts'

/** Longest `Set-Cookie` line before the value is cut into parts (oauth2-proxy pkg/sessions/cookie `maxCookieLength`). */
const maxLineLength = 4000

/**
 * The session cookie's text as the hot path needs it: the first cookie of that name, else its parts `name_0`, `name_1`,
 * … joined. By `indexOf`, without taking the header apart.
 */
export function firstSessionText(header: string, name: string): string | undefined {
  const whole = cookieNamed(header, name)
  if (whole !== undefined) return whole
  let joined: string | undefined
  for (let index = 0; ; index += 1) {
    const part = cookieNamed(header, `${name}_${index}`)
    if (part === undefined) return joined
    joined = joined === undefined ? part : joined + part
  }
}

function cookieNamed(header: string, name: string): string | undefined {
  for (let at = header.indexOf(name); at >= 0; at = header.indexOf(name, at + 1)) {
    const equals = at + name.length
    if (header.charCodeAt(equals) !== 0x3d) continue
    const before = at === 0 ? 0x3b : header.charCodeAt(at - 1)
    if (before !== 0x20 && before !== 0x3b) continue
    const end = header.indexOf(';', equals)
    return header.slice(equals + 1, end < 0 ? undefined : end).trim()
  }
  return undefined
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
