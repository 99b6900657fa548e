import { MessageReader, MessageWriter } from '../../kit/protobuf.ts'
import type { Allowance, AskAnswer, AskRequest, HeaderChange } from '../ask.ts'

/** What a check tells beside the request. */
export interface CheckContext {
  readonly nowMilliseconds: number
  /** As `raw_body`, since it may be no UTF-8. */
  readonly packsAsBytes: boolean
}

/** A `CheckRequest` (envoy service/auth/v3/external_auth.proto, attribute_context.proto). */
export function encodeCheckRequest(request: AskRequest, context: CheckContext): Buffer {
  const { peer, method, path, host, headers, requestId, body } = request
  const seconds = Math.floor(context.nowMilliseconds / 1000)
  const time = new MessageWriter()
    .integer(1, seconds)
    .integer(2, (context.nowMilliseconds - seconds * 1000) * 1_000_000)
  const http = new MessageWriter().text(1, requestId).text(2, method)
  const { host: _, ...fields } = headers
  const pseudo = { ':authority': host, ':method': method, ':path': path, ':scheme': peer?.scheme ?? 'http' }
  for (const [name, value] of Object.entries({ ...pseudo, ...fields })) {
    if (value !== undefined) http.message(3, new MessageWriter().text(1, name).text(2, value))
  }
  http
    .text(4, path)
    .text(5, host)
    .text(6, peer?.scheme ?? 'http')
    .integer(9, sizeOf(request))
    .text(10, 'HTTP/1.1')
  if (body && context.packsAsBytes) http.bytes(12, body)
  else if (body) http.text(11, body.toString('utf8'))
  const attributes = new MessageWriter()
    .message(1, peerMessage(peer?.address ?? request.clientAddress, peer?.port ?? 0))
    .message(2, peerMessage(peer?.localAddress ?? '', peer?.localPort ?? 0))
    .message(4, new MessageWriter().message(1, time).message(2, http))
  return new MessageWriter().message(1, attributes).finish()
}

/** How much of the body came before the check: nothing where it is not told the body. */
function sizeOf({ headers, body }: AskRequest): number {
  if (!body) return 0
  const length = Number(headers['content-length'])
  return Number.isSafeInteger(length) ? length : body.length
}

function peerMessage(address: string, port: number): MessageWriter {
  const socketAddress = new MessageWriter().text(2, address).integer(3, port)
  return new MessageWriter().message(1, new MessageWriter().message(1, socketAddress))
}

/** What a `CheckResponse` says. @throws TypeError where it is none. */
export function decodeCheckResponse(message: Buffer): AskAnswer {
  const response = new MessageReader(message)
  if ((response.message(1)?.integer(1) ?? 0) === 0) {
    const ok = response.message(3)
    const allowance = ok ? decodeAllowance(ok) : undefined
    return { verdict: 'allow', status: 200, headers: [], body: '', ...(allowance ? { allowance } : {}) }
  }
  const denied = response.message(2)
  const headers = (denied?.messages(2) ?? []).flatMap((option) => {
    const { name, value } = headerChange(option)
    return [name, value]
  })
  const status = denied?.message(1)?.integer(1) ?? 0
  return { verdict: 'deny', status: status === 0 ? 403 : status, headers, body: denied?.text(3) ?? '' }
}

function decodeAllowance(ok: MessageReader): Allowance {
  return {
    requestHeaders: ok.messages(2).map(requestChange),
    removedHeaders: ok.texts(5).map((name) => name.toLowerCase()),
    responseHeaders: ok.messages(6).map(headerChange),
    setParams: ok.messages(7).map((param) => [param.text(1), param.text(2)] as const),
    removedParams: ok.texts(8),
  }
}

const appendActions: readonly HeaderChange['how'][] = ['append', 'add-if-absent', 'overwrite', 'overwrite-if-there']

/** Of requests Envoy (1.38) reads only the deprecated `append`; without it a header is set. */
function requestChange(option: MessageReader): HeaderChange {
  return { ...headerChange(option), how: option.message(2)?.integer(1) === 1 ? 'append' : 'overwrite' }
}

/** A `HeaderValueOption`: the deprecated `append` wins where it is there. */
function headerChange(option: MessageReader): HeaderChange {
  const header = option.message(1)
  const name = header?.text(1).toLowerCase() ?? ''
  const value = header?.has(3) ? header.text(3) : (header?.text(2) ?? '')
  const append = option.message(2)
  if (append) return { name, value, how: append.integer(1) === 1 ? 'append' : 'overwrite' }
  return { name, value, how: appendActions[option.integer(3)] ?? 'overwrite' }
}
