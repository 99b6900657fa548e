import { createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2'
import { MessageReader, MessageWriter } from '../../src/kit/protobuf.ts'

/** A header of an answer: name, value, and Envoy's `append_action` by its number, or the deprecated `append`. */
type Option = readonly [name: string, value: string, action?: number | 'append' | 'set']

/** What a row asks the gRPC provider to answer, in its header `x-ext-authz-answer`. */
interface WantedAnswer {
  /** Of `google.rpc.Status`; 0 allows. */
  readonly code?: number
  /** Instead of an answer the call ends with this gRPC status. */
  readonly grpc?: number
  /** Waits for so many milliseconds. */
  readonly delay?: number
  readonly status?: number
  readonly body?: string
  readonly headers?: readonly Option[]
  readonly remove?: readonly string[]
  readonly responseHeaders?: readonly Option[]
  readonly setParams?: readonly (readonly [string, string])[]
  readonly removeParams?: readonly string[]
}

/** A gRPC ext_authz server (`envoy.service.auth.v3.Authorization`) that answers as it is told and tells what it was asked. */
export function createCheckServer(): Http2Server {
  const server = createServer()
  server.on('stream', (stream: ServerHttp2Stream) => {
    const chunks: Buffer[] = []
    stream.on('error', () => stream.destroy())
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('end', () => answer(stream, new MessageReader(Buffer.concat(chunks).subarray(5))))
  })
  return server
}

function answer(stream: ServerHttp2Stream, check: MessageReader): void {
  const http = check.message(1)?.message(4)?.message(2) ?? new MessageReader(Buffer.alloc(0))
  const headers = new Map(http.messages(3).map((entry) => [entry.text(1), entry.text(2)]))
  const wanted = JSON.parse(headers.get('x-ext-authz-answer') ?? '{"code":7}') as WantedAnswer // our tables write it
  const send = () => {
    if (stream.destroyed) return
    if (wanted.grpc !== undefined) {
      stream.respond(
        { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': wanted.grpc },
        { endStream: true },
      )
      return
    }
    const message = responseMessage(wanted, told(http, headers)).finish()
    const head = Buffer.alloc(5)
    head.writeUInt32BE(message.length, 1)
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
    stream.end(Buffer.concat([head, message]))
  }
  if (wanted.delay === undefined) send()
  else setTimeout(send, wanted.delay)
}

/** What differs from one gateway to the next without a meaning. */
const incidental = /^(?:x-request-id|x-forwarded-for|x-envoy-.*|x-ext-authz-answer|connection|:.*)$/

function told(http: MessageReader, headers: ReadonlyMap<string, string>): string {
  const kept = [...headers].filter(([name]) => !incidental.test(name)).toSorted()
  const [method, path, host, scheme, query, fragment] = [2, 4, 5, 6, 7, 8].map((field) => http.text(field))
  const [size, protocol, body, raw] = [http.integer(9), http.text(10), http.text(11), http.text(12)]
  return JSON.stringify({ method, path, host, scheme, query, fragment, size, protocol, body, raw, headers: kept })
}

function responseMessage(wanted: WantedAnswer, seen: string): MessageWriter {
  const { code = 0, headers = [] } = wanted
  const response = new MessageWriter().message(1, new MessageWriter().integer(1, code))
  if (code !== 0) {
    const denied = new MessageWriter()
    if (wanted.status !== undefined) denied.message(1, new MessageWriter().integer(1, wanted.status))
    for (const one of [...headers, ['x-told', seen] as const]) denied.message(2, option(one))
    return response.message(2, denied.text(3, wanted.body ?? ''))
  }
  const ok = new MessageWriter()
  for (const one of [...headers, ['x-told', seen] as const]) ok.message(2, option(one))
  for (const name of wanted.remove ?? []) ok.text(5, name)
  for (const one of wanted.responseHeaders ?? []) ok.message(6, option(one))
  for (const [name, value] of wanted.setParams ?? []) ok.message(7, new MessageWriter().text(1, name).text(2, value))
  for (const name of wanted.removeParams ?? []) ok.text(8, name)
  return response.message(3, ok)
}

function option([name, value, action = 0]: Option): MessageWriter {
  const written = new MessageWriter().message(1, new MessageWriter().text(1, name).text(2, value))
  if (typeof action === 'number') return written.integer(3, action)
  return written.message(2, new MessageWriter().integer(1, action === 'append' ? 1 : 0))
}
