import type { CheckAnswer, CheckRequest } from '../check.ts'
import type { HeaderChanges } from './check-messages.ts'

/** Which headers and cookies are the proxy's own. */
export interface Ownership {
  isOwnCookie(name: string): boolean
  isIdentityHeader(name: string): boolean
}

/** Names of identity headers which the client made up, as it spelled them; those the answer overwrites are not among them. */
export function madeUpHeaders({ headers }: CheckRequest, answer: CheckAnswer, ownership: Ownership): string[] {
  const madeUp: string[] = []
  for (const name in headers) if (ownership.isIdentityHeader(name) && !sets(answer, name)) madeUp.push(name)
  return madeUp
}

function sets({ headers }: CheckAnswer, name: string): boolean {
  for (let at = 0; at < headers.length; at += 2) if (headers[at] === name) return true
  return false
}

/** Takes the proxy's own cookies out of what the app is to see, and these headers. */
export function headerChanges(
  cookie: string | undefined,
  removed: readonly string[],
  ownership: Ownership,
): HeaderChanges {
  if (cookie === undefined) return { set: [], removed }
  const pairs = cookie.split(';').map((pair) => pair.trim())
  const kept = pairs.filter((pair) => pair !== '' && !ownership.isOwnCookie(pair.split('=', 1)[0] ?? ''))
  if (kept.length === pairs.length) return { set: [], removed }
  if (kept.length === 0) return { set: [], removed: [...removed, 'cookie'] }
  return { set: [['cookie', kept.join('; ')]], removed }
}
