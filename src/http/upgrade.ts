import { type IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'

/** Only WebSockets are upgraded; any other protocol on offer (`h2c`) is declined by answering in HTTP/1.1. */
export function isWebSocket({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket'
}

/**
 * Whether a request that asked for an upgrade announces a body (RFC 9112 §6.3). It would be lost: Node has given up the
 * connection's framing by then.
 */
export function announcesBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

/**
 * A response to a request that asked for an upgrade, for when it is declined or refused: Node leaves that socket to us,
 * its end and its `drain` as well. `socket`: as the server's `upgrade` event gives it.
 */
export function responseOver(request: IncomingMessage, socket: Duplex): ServerResponse {
  const response = new ServerResponse(request)
  response.shouldKeepAlive = false
  response.assignSocket(socket as Parameters<ServerResponse['assignSocket']>[0]) // an HTTP server's socket is a Socket
  response.on('finish', () => socket.end())
  socket.on('drain', () => response.emit('drain'))
  return response
}

/** The head that agrees to an upgrade, as the upstream's answer has it, with more headers (name, value, …). */
export function switchingProtocols({ rawHeaders }: IncomingMessage, more: readonly string[]): string {
  const flat = [...rawHeaders, ...more]
  let head = 'HTTP/1.1 101 Switching Protocols\r\n'
  for (let at = 0; at < flat.length; at += 2) head += `${flat[at]}: ${flat[at + 1]}\r\n`
  return `${head}\r\n`
}

/** From now on bytes go both ways untouched, and the end of one side is the end of the other. */
export function joinSockets(client: Duplex, upstream: Duplex): void {
  client.on('error', () => upstream.destroy())
  upstream.on('error', () => client.destroy())
  client.on('close', () => upstream.destroy())
  upstream.on('close', () => client.destroy())
  client.pipe(upstream)
  upstream.pipe(client)
}
