import { createServer, type Http2Server, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import type { Log } from '../../kit/log.ts'
import type { CheckAnswer, CheckRequest } from '../check.ts'
import type { ProxyPart } from '../open-proxy.ts'
import { decodeCheckRequest, encodeAllowance, encodeDenial } from './check-messages.ts'
import { headerChanges, madeUpHeaders } from './header-changes.ts'

/** What the server needs of the proxy. */
export type GrpcProxy = Pick<ProxyPart, 'check' | 'ready' | 'isOwnCookie' | 'isIdentityHeader'>

const maxMessageBytes = 1024 * 1024

/**
 * Envoy's external authorization by gRPC (service/auth/v3/external_auth.proto; v2 has the same messages), for Envoy,
 * Istio, Contour and Emissary, with `grpc.health.v1` for probes. Unlike HTTP it can also take from the request what no
 * app should see: the proxy's own cookie, and identity headers which the client made up.
 */
export function openExtAuthzGrpc(proxy: GrpcProxy, log: Log): Http2Server {
  const server = createServer({
    settings: { maxConcurrentStreams: 1000, maxHeaderListSize: 16 * 1024 },
    maxSessionMemory: 64,
  })
  const methods: Readonly<Record<string, Method>> = {
    '/envoy.service.auth.v3.Authorization/Check': (message) => check(message, proxy),
    '/envoy.service.auth.v2.Authorization/Check': (message) => check(message, proxy),
    '/grpc.health.v1.Health/Check': () => Buffer.from([8, proxy.ready() ? 1 : 2]), // HealthCheckResponse.status
  }
  server.on('stream', (stream: ServerHttp2Stream, headers) => serve(stream, headers, { methods, log }))
  server.on('sessionError', () => {}) // the peer's; Node closes the session
  return server
}

/** Answers one message by another. @throws TypeError where the message is none. */
type Method = (message: Buffer) => Buffer | Promise<Buffer>

/** As much of the gRPC status codes as this server answers with (grpc doc/statuscodes.md). */
const status = { invalidArgument: 3, resourceExhausted: 8, unimplemented: 12, internal: 13 }

function serve(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  { methods, log }: { methods: Readonly<Record<string, Method>>; log: Log },
): void {
  stream.on('error', () => {}) // the client went away
  const method = Object.hasOwn(methods, headers[':path'] ?? '') ? methods[headers[':path'] ?? ''] : undefined
  if (!method) {
    end(stream, status.unimplemented, 'unknown method')
    return
  }
  const chunks: Buffer[] = []
  let size = 0
  stream.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size <= maxMessageBytes) chunks.push(chunk)
    else end(stream, status.resourceExhausted, 'the message is too large')
  })
  stream.on('end', () => {
    if (size > maxMessageBytes) return
    const body = chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)
    try {
      const answer = method(unframed(body))
      if (answer instanceof Promise) {
        answer.then((late) => reply(stream, late)).catch((cause: unknown) => crash(stream, cause, log))
      } else reply(stream, answer)
    } catch (cause) {
      crash(stream, cause, log)
    }
  })
}

function crash(stream: ServerHttp2Stream, cause: unknown, log: Log): void {
  if (cause instanceof TypeError) {
    end(stream, status.invalidArgument, cause.message)
    return
  }
  log.error('check failed', { cause })
  end(stream, status.internal, 'the check failed')
}

/** The one message of a request. @throws TypeError where it is not one, or is compressed. */
function unframed(body: Buffer): Buffer {
  if (body.length < 5 || body[0] !== 0 || body.readUInt32BE(1) !== body.length - 5) {
    throw new TypeError('the request is not one uncompressed message')
  }
  return body.subarray(5)
}

const answerHeaders = { ':status': 200, 'content-type': 'application/grpc' }

function reply(stream: ServerHttp2Stream, message: Buffer): void {
  if (stream.destroyed || stream.headersSent) return
  const framed = Buffer.allocUnsafe(message.length + 5)
  framed[0] = 0
  framed.writeUInt32BE(message.length, 1)
  message.copy(framed, 5)
  stream.respond(answerHeaders, { waitForTrailers: true })
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
  stream.end(framed)
}

/** A call that ends without an answer. */
function end(stream: ServerHttp2Stream, code: number, message: string): void {
  if (stream.destroyed || stream.headersSent) return
  stream.respond({ ...answerHeaders, 'grpc-status': String(code), 'grpc-message': message }, { endStream: true })
}

function check(message: Buffer, proxy: GrpcProxy): Buffer | Promise<Buffer> {
  const request = decodeCheckRequest(message)
  if (!request) throw new TypeError('the request has no method or no path')
  const answer = proxy.check(request)
  return answer instanceof Promise
    ? answer.then((late) => encode(request, late, proxy))
    : encode(request, answer, proxy)
}

/** Of remembered sessions, with the `Cookie` header it was made for: a browser sends the same one again and again. */
const allowances = new WeakMap<CheckAnswer, { readonly cookie: string | undefined; readonly message: Buffer }>()

function encode(request: CheckRequest, answer: CheckAnswer, proxy: GrpcProxy): Buffer {
  if (answer.status !== 200 || answer.verdict === 'deny') return encodeDenial(answer)
  const cookie = request.headers['cookie']
  const removed = madeUpHeaders(request, answer, proxy)
  const known = allowances.get(answer)
  if (known && known.cookie === cookie && removed.length === 0) return known.message
  const message = encodeAllowance(answer, headerChanges(cookie, removed, proxy))
  if (removed.length === 0) allowances.set(answer, { cookie, message })
  return message
}
