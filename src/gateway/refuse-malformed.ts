import type { IncomingMessage } from 'node:http'
import { peerAddressOf } from './client-address.ts'
import type { GatewayContext } from './context.ts'
import type { Arrival } from './exchange.ts'
import { HeaderList } from './header-list.ts'
import type { ObservedRequest } from './observer.ts'
import type { GatewayState } from './state.ts'

/** Refuses a request that cannot be read without doubt, as Envoy does; the connection is not read any further. */
export function refuseMalformed({ request, response }: Arrival, state: GatewayState, context: GatewayContext): void {
  const requestId = context.requestId()
  context.log.info('request refused', { requestId, status: 400, reason: 'the request is malformed' })
  const cause = { kind: 'gateway', status: 400, reason: 'the request is malformed' } as const
  context.observer?.refused(unread(request, requestId, state), cause)
  const headers = ['content-type', 'text/plain', 'content-length', '11', 'connection', 'close']
  response.writeHead(400, [...headers, 'x-request-id', requestId])
  response.end('bad request')
}

/** The request as sent: nothing of it was understood. */
function unread(request: IncomingMessage, requestId: string, state: GatewayState): ObservedRequest {
  const headers = new HeaderList(request.rawHeaders.map((text, at) => (at % 2 === 0 ? text.toLowerCase() : text)))
  const { method = '', url = '', socket } = request
  const peerAddress = peerAddressOf(socket.remoteAddress)
  return {
    ...{ requestId, method, request, headers, state, peerAddress, clientAddress: peerAddress },
    path: url,
    query: '',
    host: headers.get('host') ?? '',
    scheme: 'http',
    localAddress: peerAddressOf(socket.localAddress),
    localPort: socket.localPort ?? 0,
    serverName: undefined,
    route: undefined,
    claims: undefined,
    header: (name) => headers.get(name),
  }
}
