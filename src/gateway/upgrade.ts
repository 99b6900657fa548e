import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { joinSockets, switchingProtocols } from '../http/upgrade.ts'
import type { Exchange } from './exchange.ts'
import { hopsOfAnswers } from './hops-of-answers.ts'
import { refuseItself } from './refusals.ts'

/** What is told where `isForeignOrigin` holds. */
export const foreignOrigin = 'websocket from a foreign origin'

/**
 * Whether a page of another site opened this WebSocket with the visitor's cookies (cross-site WebSocket hijacking).
 * Programs send no `Origin`, and without a cookie there is nothing to hijack.
 */
export function isForeignOrigin({ headers, host, context }: Exchange): boolean {
  const origin = headers.get('origin')?.toLowerCase()
  if (origin === undefined || headers.get('cookie') === undefined) return false
  if (origin === context.publicOrigin?.toLowerCase()) return false
  return origin.slice(origin.indexOf('//') + 2) !== host.toLowerCase()
}

/** Opens a WebSocket to an origin; once it agrees, bytes go both ways untouched. */
export function forwardUpgrade(exchange: Exchange, origin: string, target: string): void {
  const { upgrade, method, headers, context, requestId } = exchange
  if (!upgrade) throw new TypeError('only a request that asked for it is upgraded')
  const upstream = (origin.startsWith('https:') ? httpsRequest : httpRequest)(origin, {
    path: target,
    method,
    agent: false,
    setHost: false,
    headers: [...headers.flat, 'connection', 'Upgrade', 'upgrade', 'websocket'],
  })
  upgrade.socket.once('close', () => upstream.destroy())
  upstream.on('upgrade', (answer, socket, head) => {
    context.sockets.add(upgrade.socket, [exchange.tokenSession, exchange.providerSession])
    upgrade.socket.write(switchingProtocols(answer, exchange.responseHeaders))
    if (head.length > 0) upgrade.socket.write(head)
    if (upgrade.head.length > 0) socket.write(upgrade.head)
    joinSockets(upgrade.socket, socket)
  })
  upstream.on('response', (answer) => relay(exchange, answer))
  upstream.on('error', (cause) => {
    context.log.warn('upstream failed', { requestId, origin, cause })
    const text = 'upstream connect error or disconnect/reset before headers. reset reason: remote connection failure'
    refuseItself(exchange, { status: 503, text, reason: `${origin}: ${text}` })
  })
  upstream.end()
}

/** The origin did not agree: its answer is the answer. */
function relay({ response, responseHeaders }: Exchange, answer: IncomingMessage): void {
  const { statusCode = 502, headersDistinct } = answer
  const flat = Object.entries(headersDistinct).flatMap(([name, values = []]) =>
    hopsOfAnswers.has(name) ? [] : values.flatMap((value) => [name, value]),
  )
  response.writeHead(statusCode, [...flat, ...responseHeaders])
  answer.on('error', () => response.destroy())
  answer.pipe(response)
}
