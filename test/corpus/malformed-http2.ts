import { endHeaders, endStream, frame, get, headerBlock, opening, plainFields } from './http2-frames.ts'

/** Frames of a first request that a server may refuse, and where ours differs from Envoy on purpose. */
export interface MalformedHttp2 {
  readonly name: string
  readonly bytes: Buffer
  /** Where Envoy serves what we refuse, or the other way round. */
  readonly ours?: { readonly isServed: boolean; readonly because: string }
}

type Fields = readonly (readonly [string, string])[]

const [method, scheme, path, authority] = plainFields
const stricter = { isServed: false, because: 'RFC 9113 §8.3.1 calls it malformed; Envoy drops `host`' }
const dropped = { isServed: true, because: 'nghttp2 drops such a field unseen, so nobody behind it judges or reads it' }

/** A GET with these fields after the pseudo ones. */
const withFields = (...more: Fields) => Buffer.concat([opening(), get(1, [...plainFields, ...more])])
const ofFields = (...fields: Fields) => Buffer.concat([opening(), get(1, fields)])
const post = (...more: Fields) =>
  Buffer.concat([
    opening(),
    frame('headers', {
      stream: 1,
      flags: endHeaders,
      payload: headerBlock([[':method', 'POST'], scheme, path, authority, ...more]),
    }),
  ])
const data = (body: string, flags = endStream) => frame('data', { stream: 1, flags, payload: Buffer.from(body) })

export const malformedHttp2: readonly MalformedHttp2[] = [
  { name: 'plain', bytes: withFields(['x-a', 'b']) },
  { name: 'connection', bytes: withFields(['connection', 'close']) },
  { name: 'keep-alive', bytes: withFields(['keep-alive', 'timeout=5']) },
  { name: 'proxy-connection', bytes: withFields(['proxy-connection', 'close']) },
  { name: 'upgrade', bytes: withFields(['upgrade', 'websocket']) },
  { name: 'transfer-encoding', bytes: Buffer.concat([post(['transfer-encoding', 'chunked']), data('0\r\n\r\n')]) },
  { name: 'te: trailers', bytes: withFields(['te', 'trailers']) },
  { name: 'te: gzip', bytes: withFields(['te', 'gzip']) },
  { name: 'a name in upper case', bytes: withFields(['X-A', 'b']) },
  { name: 'a name with a space', bytes: withFields(['x a', 'b']), ours: dropped },
  { name: 'an empty name', bytes: withFields(['', 'b']), ours: dropped },
  { name: 'a line feed in a value', bytes: withFields(['x-a', 'b\nc: d']), ours: dropped },
  { name: 'a carriage return in a value', bytes: withFields(['x-a', 'b\rc']), ours: dropped },
  { name: 'a NUL in a value', bytes: withFields(['x-a', 'b\0c']), ours: dropped },
  { name: 'no :authority', bytes: ofFields(method, scheme, path) },
  { name: 'host instead of :authority', bytes: ofFields(method, scheme, path, ['host', 'a.com']) },
  { name: 'an empty :authority', bytes: ofFields(method, scheme, path, [':authority', '']) },
  { name: 'two :authority', bytes: ofFields(...plainFields, [':authority', 'b.com']) },
  { name: ':authority with user information', bytes: ofFields(method, scheme, path, [':authority', 'u@a.com']) },
  { name: ':authority with a slash', bytes: ofFields(method, scheme, path, [':authority', 'a.com/x']) },
  { name: 'host like :authority', bytes: withFields(['host', 'a.com']) },
  { name: 'host unlike :authority', bytes: withFields(['host', 'b.com']), ours: stricter },
  { name: 'two hosts', bytes: withFields(['host', 'a.com'], ['host', 'a.com']) },
  { name: 'no :method', bytes: ofFields(scheme, path, authority) },
  { name: 'no :scheme', bytes: ofFields(method, path, authority) },
  { name: 'no :path', bytes: ofFields(method, scheme, authority) },
  { name: 'an empty :path', bytes: ofFields(method, scheme, [':path', ''], authority) },
  { name: 'a :path without a slash', bytes: ofFields(method, scheme, [':path', 'a'], authority) },
  { name: 'a :path that is a URL', bytes: ofFields(method, scheme, [':path', 'http://b.com/a'], authority) },
  { name: 'a :path with a space', bytes: ofFields(method, scheme, [':path', '/a b'], authority) },
  { name: 'a :path with an escaped NUL', bytes: ofFields(method, scheme, [':path', '/a%00'], authority) },
  { name: 'a :path of an asterisk', bytes: ofFields([':method', 'OPTIONS'], scheme, [':path', '*'], authority) },
  { name: 'an unknown pseudo field', bytes: ofFields(...plainFields, [':x', 'y']) },
  { name: ':status', bytes: ofFields(...plainFields, [':status', '200']) },
  { name: 'a pseudo field after the others', bytes: ofFields(method, scheme, path, ['x-a', 'b'], authority) },
  { name: 'CONNECT', bytes: ofFields([':method', 'CONNECT'], [':authority', 'b.com:443']) },
  {
    name: 'a WebSocket (RFC 8441)',
    bytes: ofFields([':method', 'CONNECT'], [':protocol', 'websocket'], scheme, path, authority),
  },
  { name: 'a body longer than it says', bytes: Buffer.concat([post(['content-length', '3']), data('hello')]) },
  { name: 'a body shorter than it says', bytes: Buffer.concat([post(['content-length', '9']), data('hello')]) },
  { name: 'content-length that is no number', bytes: Buffer.concat([post(['content-length', 'x']), data('hello')]) },
  {
    name: 'two content-lengths',
    bytes: Buffer.concat([post(['content-length', '5'], ['content-length', '6']), data('hello')]),
  },
  { name: 'a header of 70 kB', bytes: Buffer.concat([opening(), ...longHeader(70_000)]) },
  {
    name: 'trailers with a pseudo field',
    bytes: Buffer.concat([
      post(),
      data('hello', 0),
      frame('headers', { stream: 1, flags: endStream | endHeaders, payload: headerBlock([[':path', '/b']]) }),
    ]),
  },
  { name: 'data before any request', bytes: Buffer.concat([opening(), data('hello')]) },
  { name: 'an even stream', bytes: Buffer.concat([opening(), get(2)]) },
  {
    name: 'a frame longer than allowed',
    bytes: Buffer.concat([post(), frame('data', { stream: 1, payload: Buffer.alloc(20_000) })]),
  },
  { name: 'a window update of nothing', bytes: Buffer.concat([post(), windowUpdate(1, 0)]) },
  { name: 'a window that overflows', bytes: Buffer.concat([post(), windowUpdate(1, 0x7fffffff)]) },
]

function windowUpdate(stream: number, by: number): Buffer {
  const payload = Buffer.alloc(4)
  payload.writeUInt32BE(by)
  return frame('windowUpdate', { stream, payload })
}

/** One header block in as many frames as it needs. */
function longHeader(length: number): Buffer[] {
  const block = headerBlock([...plainFields, ['x-a', 'a'.repeat(length)]])
  const pieces: Buffer[] = []
  for (let at = 0; at < block.length; at += 16_384) {
    const isLast = at + 16_384 >= block.length
    const payload = block.subarray(at, at + 16_384)
    const flags = isLast ? endHeaders : 0
    pieces.push(
      at === 0
        ? frame('headers', { stream: 1, flags: flags | endStream, payload })
        : frame('continuation', { stream: 1, flags, payload }),
    )
  }
  return pieces
}
