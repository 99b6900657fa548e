import type { CheckAnswer } from '../../proxy/check.ts'

/** What only our pages say; a banner of the original's may frame, load and run what it likes. */
const ofOurPages: ReadonlySet<string> = new Set([
  'content-security-policy',
  'referrer-policy',
  'x-content-type-options',
  'x-frame-options',
])

/**
 * An answer of ours put as oauth2-proxy sends it, for `compat`: pages without what protects ours, and redirects with the
 * line of HTML that Go's `http.Redirect` writes to a GET.
 */
export function asOriginal(answer: CheckAnswer, method: string): CheckAnswer {
  const type = headerOf(answer, 'content-type')
  if (type?.startsWith('text/html')) return { ...answer, headers: without(answer.headers, ofOurPages) }
  const location = headerOf(answer, 'location')
  if (location === undefined || type !== undefined || (method !== 'GET' && method !== 'HEAD')) return answer
  const headers = [...answer.headers, 'content-type', 'text/html; charset=utf-8']
  return { ...answer, headers, body: `<a href="${escaped(location)}">Found</a>.\n\n` }
}

function headerOf({ headers }: CheckAnswer, name: string): string | undefined {
  const at = headers.findIndex((one, index) => index % 2 === 0 && one === name)
  return at < 0 ? undefined : headers[at + 1]
}

function without(headers: readonly string[], names: ReadonlySet<string>): string[] {
  return headers.filter((_, at) => !names.has(headers[at - (at % 2)] ?? ''))
}

/** As Go's `htmlReplacer`. */
function escaped(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&#34;',
    "'": '&#39;',
  }
  return text.replace(/[&<>"']/g, (one) => entities[one] ?? one)
}
