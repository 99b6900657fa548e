import { createHmac } from 'node:crypto'
import type { Readable } from 'node:stream'
import type { HeaderList } from '../../../gateway/header-list.ts'
import type { SignatureKey } from '../../../proxy/signature-key.ts'
import { readGoPath } from './go-path.ts'

/** A request as it is forwarded. */
export interface SignedRequest {
  readonly method: string
  /** Path and query. */
  readonly target: string
  readonly headers: HeaderList
  readonly body: Uint8Array
}

/** What the signature covers, in its order (oauth2-proxy pkg/upstream/http.go `SignatureHeaders`). */
const signedHeaders = [
  'content-length',
  'content-md5',
  'content-type',
  'date',
  'authorization',
  'x-forwarded-user',
  'x-forwarded-email',
  'x-forwarded-preferred-user',
  'x-forwarded-access-token',
  'cookie',
  'gap-auth',
]

/** The value of `GAP-Signature` (mbland/hmacauth `StringToSign`): of what is sent, as the app will see it. */
export function signatureOf({ method, target, headers, body }: SignedRequest, key: SignatureKey): string {
  const [path = '', query = ''] = splitAt(target, '?')
  const lines = [
    method,
    ...signedHeaders.map((name) => headers.all(name).join(',')),
    `${readGoPath(path)?.decoded ?? path}${query === '' ? '' : `?${query}`}`,
  ]
  const hmac = createHmac(key.algorithm, key.secret)
  for (const line of lines) hmac.update(`${line}\n`, 'latin1') // one character a byte, as Node reads a head
  return `${key.algorithm} ${hmac.update(body).digest('base64')}`
}

function splitAt(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark)
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}

/** A signature is sent before the body, so the body is read before it; longer ones, in bytes, are not. */
const longestSignedBody = 64 * 1024 * 1024

/** Reads a body whole; `undefined` for one that is too long. @throws where its sender goes away. */
export async function readSignedBody(source: Readable): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of source.iterator({ destroyOnReturn: false })) {
    size += chunk.length
    if (size > longestSignedBody) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
