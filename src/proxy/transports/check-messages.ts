import { type FieldVisitor, MessageReader, MessageWriter, readFields } from '../../kit/protobuf.ts'
import type { CheckAnswer, CheckRequest } from '../check.ts'

/** What becomes of the request's headers when it may pass, beside the headers of the answer. */
export interface HeaderChanges {
  readonly set: readonly (readonly [name: string, value: string])[]
  readonly removed: readonly string[]
}

/**
 * The request an Envoy asks about (envoy service/auth/v3/external_auth.proto `CheckRequest`, attribute_context.proto).
 * `undefined` where it lacks a method or a path. @throws TypeError where the bytes are no message.
 */
export function decodeCheckRequest(message: Buffer): CheckRequest | undefined {
  const attributes = new MessageReader(message).message(1)
  const http = attributes?.message(4)?.message(2)
  if (!attributes || !http) return undefined
  const headers = http.has(3) ? headerMap(http.all(3)) : rawHeaderMap(http.message(13))
  const [method, path] = [http.text(2), http.text(4)]
  if (method === '' || !path.startsWith('/')) return undefined
  return {
    method,
    path,
    host: http.text(5),
    headers,
    clientAddress: attributes.message(1)?.message(1)?.message(1)?.text(2) ?? '',
    requestId: headers['x-request-id'] ?? http.text(1),
  }
}

type Headers = Record<string, string | undefined>

/** `map<string, string>`: Envoy has joined repeated headers already. */
function headerMap(entries: readonly Buffer[]): Headers {
  const headers: Headers = Object.create(null)
  for (const entry of entries) {
    const [name, value] = pairOf(entry)
    headers[name] = value
  }
  return headers
}

/** `header_map`, sent where the filter is told to `encode_raw_headers`: repeated headers stand one by one. */
function rawHeaderMap(map: MessageReader | undefined): Headers {
  const headers: Headers = Object.create(null)
  for (const entry of map?.all(1) ?? []) {
    const [name, value] = pairOf(entry)
    const before = headers[name]
    headers[name] = before === undefined ? value : `${before}${name === 'cookie' ? '; ' : ','}${value}`
  }
  return headers
}

/** A map entry (key 1, value 2) or a `HeaderValue`, whose bytes may stand in field 3 instead. */
function pairOf(entry: Buffer): [name: string, value: string] {
  let [name, value] = ['', '']
  const visitor: FieldVisitor = {
    bytes(field, bytes) {
      if (field === 1) name = bytes.toString('utf8')
      else if (field === 2 || field === 3) value = bytes.toString('utf8')
    },
  }
  readFields(entry, visitor)
  return [name.toLowerCase(), value]
}

/** Headers of an answer that say something about its own body, or only to its own client. */
const notForTheApp = new Set([
  'content-type',
  'content-length',
  'cache-control',
  'expires',
  'x-accel-expires',
  'gap-auth',
])

/** A `CheckResponse` that lets the request pass, with what the app is to be told. */
export function encodeAllowance({ headers }: CheckAnswer, { set, removed }: HeaderChanges): Buffer {
  const ok = new MessageWriter()
  const toClient: MessageWriter[] = []
  for (let at = 0; at < headers.length; at += 2) {
    const [name, value] = [headers[at] ?? '', headers[at + 1] ?? '']
    if (name === 'set-cookie') toClient.push(appending(name, value))
    else if (name === 'x-envoy-auth-headers-to-remove') ok.bytes(5, Buffer.from(value))
    else if (!notForTheApp.has(name)) ok.message(2, overwriting(name, value))
  }
  for (const [name, value] of set) ok.message(2, overwriting(name, value))
  for (const name of removed) ok.bytes(5, Buffer.from(name))
  for (const option of toClient) ok.message(6, option)
  return new MessageWriter().bytes(1, Buffer.alloc(0)).message(3, ok).finish()
}

/** A `CheckResponse` that sends the client this answer. */
export function encodeDenial({ status, headers, body }: CheckAnswer): Buffer {
  const denied = new MessageWriter().message(1, new MessageWriter().integer(1, status))
  for (let at = 0; at < headers.length; at += 2) {
    denied.message(2, header(headers[at] ?? '', headers[at + 1] ?? ''))
  }
  denied.text(3, body)
  const verdict = new MessageWriter().integer(1, rpcCode(status))
  return new MessageWriter().message(1, verdict).message(2, denied).finish()
}

/** `HeaderValueOption` (envoy config/core/v3/base.proto) without a wish: for a denial, which Envoy sends as it stands. */
function header(name: string, value: string): MessageWriter {
  return new MessageWriter().message(1, new MessageWriter().text(1, name).text(2, value))
}

/** `append_action: OVERWRITE_IF_EXISTS_OR_ADD`, which is also what Envoys do that do not know it. */
function overwriting(name: string, value: string): MessageWriter {
  return header(name, value).integer(3, 2)
}

/**
 * `append: true`: several of one name stand beside each other. Only for answers to requests that pass; a denial's repeated
 * headers would be lost by it (Envoy 1.38).
 */
function appending(name: string, value: string): MessageWriter {
  return header(name, value).message(2, new MessageWriter().integer(1, 1))
}

/** google.rpc.Code: anything but 0 denies; the client sees the HTTP status. */
function rpcCode(status: number): number {
  if (status === 401 || status === 302) return 16
  return status === 503 ? 14 : 7
}
