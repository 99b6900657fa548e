import { connect, type IncomingHttpHeaders } from 'node:http2'
import type { AskAnswer, AskRequest } from '../../src/gateway/ask.ts'
import { decodeCheckResponse, encodeCheckRequest } from '../../src/gateway/grpc/check-messages.ts'

/** What a gRPC call came to. */
export interface GrpcAnswer {
  /** Headers and trailers together. */
  readonly headers: IncomingHttpHeaders
  readonly message: Buffer
}

/** The path of the check in Envoy's v3 API. */
export const checkMethod = '/envoy.service.auth.v3.Authorization/Check'

/** A message as gRPC sends it. */
export function framed(message: Buffer, flag = 0): Buffer {
  const head = Buffer.alloc(5)
  head[0] = flag
  head.writeUInt32BE(message.length, 1)
  return Buffer.concat([head, message])
}

/** Calls a method at a port of this machine. */
export function callGrpc(port: number, path: string, body: Buffer): Promise<GrpcAnswer> {
  const session = connect(`http://127.0.0.1:${port}`)
  return new Promise<GrpcAnswer>((resolve, reject) => {
    session.on('error', reject)
    const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc' })
    const chunks: Buffer[] = []
    let headers: IncomingHttpHeaders = {}
    const more = (found: IncomingHttpHeaders) => {
      headers = { ...headers, ...found }
    }
    stream.on('response', more).on('trailers', more)
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('end', () => resolve({ headers, message: Buffer.concat(chunks).subarray(5) }))
    stream.on('error', reject)
    stream.end(body)
  }).finally(() => session.close())
}

/** Asks as an Envoy does; the gateway's own client writes and reads the messages. */
export async function askByGrpc(
  port: number,
  request: Partial<AskRequest> = {},
  method = checkMethod,
): Promise<AskAnswer & { readonly code: unknown }> {
  const whole: AskRequest = {
    ...{ method: 'GET', path: '/pipeline/', host: 'kubeflow.example.com', headers: {} },
    ...{ clientAddress: '10.0.0.9', requestId: 'r1' },
    ...request,
  }
  const message = encodeCheckRequest(whole, { nowMilliseconds: 0, packsAsBytes: false })
  const { headers, message: answer } = await callGrpc(port, method, framed(message))
  return { ...decodeCheckResponse(answer), code: headers['grpc-status'] }
}
