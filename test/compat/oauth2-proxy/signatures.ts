import { once } from 'node:events'
import { request } from 'node:http'

/** A request that an upstream is to see signed. */
export interface SignedCase {
  readonly what: string
  readonly path: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string | string[]>>
  /** In these pieces. */
  readonly body?: readonly string[]
}

const dated = { date: 'Mon, 01 Jun 2026 12:00:00 GMT', 'content-md5': 'XUFAKrxLKna5cZ2REBfFkg==' }

/** Requests of nobody, who may pass. */
export const signedCases: readonly SignedCase[] = [
  { what: 'a query', path: '/x?a=1' },
  { what: 'escapes, which the path loses and the query keeps', path: '/a%20b?c=d%20e' },
  { what: 'an empty query', path: '/x?' },
  { what: 'UTF-8', path: '/%C3%A9', headers: { 'content-type': 'text/plain; name=caf\u00e9' } },
  {
    what: 'a posted body',
    path: '/post',
    method: 'POST',
    headers: { 'content-type': 'text/plain', 'content-length': '5', ...dated, cookie: 'a=1; b=2' },
    body: ['hello'],
  },
  { what: 'a body in chunks', path: '/post', method: 'POST', body: ['hel', 'lo'] },
  { what: 'an empty body', path: '/post', method: 'PUT', headers: { 'content-length': '0' } },
  { what: 'a repeated header', path: '/x', headers: { 'content-type': ['a/b', 'c/d'] } },
  { what: 'words of the client', path: '/x', headers: { 'gap-signature': 'sha256 AA==', 'gap-auth': 'admin' } },
]

/** What either program is started with beside addresses. */
export const signingFlags = ['--signature-key=sha256:between us', '--skip-auth-route=^/']

/** Puts a request to a proxy. */
export async function sendToSign(port: number, one: SignedCase): Promise<void> {
  const { path, method = 'GET', headers = {}, body = [] } = one
  const sent = request({ host: '127.0.0.1', port, path, method, agent: false, headers: { host: 'app.example', ...headers } })
  for (const piece of body) sent.write(piece)
  sent.end()
  const [answer] = await once(sent, 'response')
  await answer.resume().toArray()
}

/** What oauth2-proxy signed the cases with, in their order. */
export interface RecordedSignatures {
  readonly program: string
  readonly signatures: readonly string[]
}
