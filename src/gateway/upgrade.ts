import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Duplex } from 'node:stream'
import type { Exchange } from './exchange.ts'
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

function switchingProtocols({ rawHeaders }: IncomingMessage, more: readonly string[]): string {
  const flat = [...rawHeaders, ...more]
  let head = 'HTTP/1.1 101 Switching Protocols\r\n'
  for (let at = 0; at < flat.length; at += 2) head += `${flat[at]}: ${flat[at + 1]}\r\n`
  return `${head}\r\n`
}

function joinSockets(client: Duplex, upstream: Duplex): void {
  client.on('error', () => upstream.destroy())
  upstream.on('error', () => client.destroy())
  client.on('close', () => upstream.destroy())
  upstream.on('close', () => client.destroy())
  client.pipe(upstream)
  upstream.pipe(client)
}

/** The origin did not agree: its answer is the answer. */
function relay({ response, responseHeaders }: Exchange, answer: IncomingMessage): void {
  const { statusCode = 502, headersDistinct } = answer
  const flat = Object.entries(headersDistinct).flatMap(([name, values = []]) =>
    hopByHop.has(name) ? [] : values.flatMap((value) => [name, value]),
  )
  response.writeHead(statusCode, [...flat, ...responseHeaders])
  answer.on('error', () => response.destroy())
  answer.pipe(response)
}

const hopByHop = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade', 'trailer'])
