import type { CheckAnswer } from './check.ts'
import type { ProxyConfig } from './typed-config.ts'

/** Headers that keep an answer out of every cache, as the original spells them. */
export const noStore: readonly string[] = [
  'cache-control',
  'no-cache, no-store, must-revalidate, max-age=0',
  'expires',
  'Thu, 01 Jan 1970 00:00:00 UTC',
  'x-accel-expires',
  '0',
]

/** `Set-Cookie` values as header pairs. */
export function setCookieHeaders(cookies: readonly string[]): string[] {
  return cookies.flatMap((cookie) => ['set-cookie', cookie])
}

/** Lets the request pass, with these headers for the upstream; the body is the static upstream's. */
export function allowAnswer(headers: readonly string[], status = 200): CheckAnswer {
  return { status, headers: [...headers, 'content-type', 'text/plain; charset=utf-8'], body: 'Authenticated' }
}

/** Says at `/oauth2/auth` who is signed in. */
export function signedInAnswer(headers: readonly string[]): CheckAnswer {
  return { status: 202, headers, body: '' }
}

/** A plain line, as Go's `http.Error` sends it. */
export function textAnswer(status: number, text: string, headers: readonly string[] = []): CheckAnswer {
  const type = ['content-type', 'text/plain; charset=utf-8', 'x-content-type-options', 'nosniff']
  return { status, headers: [...headers, ...type], body: `${text}\n` }
}

/** The challenge a 401 owes its client, and what is wrong with the token that came (RFC 9110 §15.5.2, RFC 6750 §3). The original sends none. */
export function challenge({ compat }: ProxyConfig, error?: 'invalid_token' | 'insufficient_scope'): string[] {
  if (compat) return []
  return ['www-authenticate', error === undefined ? 'Bearer' : `Bearer error="${error}"`]
}

/** JSON, never cached. */
export function jsonAnswer(status: number, value: object, headers: readonly string[] = []): CheckAnswer {
  return { status, headers: [...headers, ...noStore, 'content-type', 'application/json'], body: JSON.stringify(value) }
}

/** A redirect, never cached. */
export function redirectAnswer(
  location: string,
  headers: readonly string[] = [],
  status: 302 | 303 = 302,
): CheckAnswer {
  return { status, headers: ['location', location, ...headers, ...noStore], body: '' }
}

/** A page made by `http/views`, with more headers; nginx, which has a header of its own for that, keeps none either. */
export async function pageAnswer(page: Promise<Response>, headers: readonly string[] = []): Promise<CheckAnswer> {
  const answer = await answerOfResponse(await page)
  const kept = answer.headers.filter((_, at) => answer.headers[at - (at % 2)] !== 'cache-control')
  return { ...answer, headers: [...kept, ...noStore, ...headers] }
}

/** A fetch response as an answer. */
export async function answerOfResponse(response: Response): Promise<CheckAnswer> {
  const headers: string[] = []
  for (const [name, value] of response.headers) headers.push(name, value) // repeats set-cookie, one each
  return { status: response.status, headers, body: await response.text() }
}

/** An answer as a fetch response. */
export function responseOfAnswer({ status, headers, body }: CheckAnswer): Response {
  const all = new Headers()
  for (let index = 0; index < headers.length; index += 2) all.append(headers[index] ?? '', headers[index + 1] ?? '')
  return new Response(status === 204 || status === 304 ? null : body, { status, headers: all })
}
