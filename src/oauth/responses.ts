/** Adds authorization-response parameters to a redirect URI's query (RFC 6749 §4.1.2); existing ones stay. */
export function withQuery(redirectUri: string, parameters: Readonly<Record<string, string | undefined>>): string {
  return appendTo(redirectUri, '?', parameters)
}

/** Adds them to its fragment instead (OAuth 2.0 Multiple Response Types §2.1). */
export function withFragment(redirectUri: string, parameters: Readonly<Record<string, string | undefined>>): string {
  return appendTo(redirectUri, '#', parameters)
}

// By hand rather than by `URL`: a registered redirect URI may be a bare path (`/oauth2/callback`) and must not be altered.
function appendTo(uri: string, mark: '?' | '#', parameters: Readonly<Record<string, string | undefined>>): string {
  const [withoutFragment = '', fragment] = splitAt(uri, '#')
  const encoded = new URLSearchParams(
    Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined),
  ).toString()
  if (mark === '#') return `${withoutFragment}#${encoded}`
  const joined = `${withoutFragment}${withoutFragment.includes('?') ? '&' : '?'}${encoded}`
  return fragment === undefined ? joined : `${joined}#${fragment}`
}

function splitAt(text: string, mark: string): [string, string | undefined] {
  const at = text.indexOf(mark)
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)]
}

/** A redirect that browsers do not cache. 303 turns a POST into a GET (RFC 9110 §15.4.4). */
export function redirectTo(location: string, status: 302 | 303 = 302): Response {
  return new Response(null, { status, headers: { location, 'cache-control': 'no-store' } })
}
