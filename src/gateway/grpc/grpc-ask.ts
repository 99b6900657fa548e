import type { Clock } from '../../kit/clock.ts'
import type { Ask } from '../ask.ts'
import type { ExtensionProvider } from '../mesh-config.ts'
import type { OriginPools } from '../origin-pools.ts'
import type { ResolveUpstream } from '../upstreams.ts'
import { decodeCheckResponse, encodeCheckRequest } from './check-messages.ts'

const method = '/envoy.service.auth.v3.Authorization/Check'
const maxMessageBytes = 1024 * 1024

/**
 * Asks a gRPC ext_authz server on the network (Envoy `envoy.service.auth.v3.Authorization`). A failure to ask, or a call
 * that ends in another status than OK, is thrown and counts as the provider's 5xx.
 */
export function openGrpcAsk(
  provider: ExtensionProvider,
  { pools, resolveUpstream, clock }: { pools: OriginPools; resolveUpstream: ResolveUpstream; clock: Clock },
): Ask {
  const { service, port, timeoutMilliseconds, includeRequestBodyInCheck } = provider
  const slash = service.indexOf('/')
  const [namespace, host] = [slash < 0 ? '' : service.slice(0, slash), service.slice(slash + 1)]
  const packsAsBytes = includeRequestBodyInCheck?.packsAsBytes ?? false

  return async (request) => {
    const upstream = resolveUpstream(host, port, namespace)
    if (upstream?.kind !== 'origin') throw new TypeError(`${host}:${port} is not known on this network`)
    const message = encodeCheckRequest(request, { nowMilliseconds: clock.now(), packsAsBytes })
    const response = await pools.getHttp2(upstream.origin).request({
      method: 'POST',
      path: method,
      headers: { 'content-type': 'application/grpc', te: 'trailers' },
      body: framed(message),
      signal: AbortSignal.timeout(timeoutMilliseconds),
    })
    const bytes = await readBounded(response.body)
    const status = { ...response.headers, ...response.trailers }['grpc-status']
    if (response.statusCode !== 200 || status !== '0') {
      throw new TypeError(`the check ended with HTTP ${response.statusCode}, grpc-status ${status ?? 'missing'}`)
    }
    return decodeCheckResponse(unframed(bytes))
  }
}

/** A message as it stands in a gRPC body: not compressed, its length before it. */
function framed(message: Buffer): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(message.length, 1)
  return Buffer.concat([head, message])
}

function unframed(body: Buffer): Buffer {
  if (body.length < 5 || body[0] !== 0 || body.readUInt32BE(1) !== body.length - 5) {
    throw new TypeError('the answer is not one uncompressed gRPC message')
  }
  return body.subarray(5)
}

async function readBounded(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.byteLength
    if (size > maxMessageBytes) throw new TypeError(`the answer has more than ${maxMessageBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
