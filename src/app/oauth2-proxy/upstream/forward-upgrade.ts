import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { HeaderList } from '../../../gateway/header-list.ts'
import { joinSockets, switchingProtocols } from '../../../http/upgrade.ts'
import { connectionNames } from './hop-headers.ts'
import type { Origin } from './origin.ts'
import { ownHeaders, type Upgrade, type Visit } from './visit.ts'

/** How an upgrade is forwarded. */
export interface ForwardUpgradeOptions {
  readonly origin: Origin
  readonly headers: HeaderList
  /** Until the head of the answer, milliseconds; 0 waits forever. */
  readonly timeout: number
  readonly failed: (error: unknown) => void
  /** Told once bytes go both ways. */
  readonly joined: () => void
}

/** Opens a WebSocket to an upstream; once it agrees, bytes go both ways untouched. */
export function forwardUpgrade(visit: Visit, upgrade: Upgrade, options: ForwardUpgradeOptions): void {
  const { origin, headers, timeout, failed, joined } = options
  const upstream = (origin.isTls ? httpsRequest : httpRequest)({
    ...origin.dial,
    path: visit.target,
    agent: false,
    setHost: false,
    headers: [...headers.flat, 'connection', 'Upgrade', 'upgrade', 'websocket'],
  })
  const timer =
    timeout > 0 && setTimeout(() => upstream.destroy(new Error('timeout awaiting response headers')), timeout)
  upgrade.socket.once('close', () => upstream.destroy())
  upstream.on('upgrade', (answer, socket, head) => {
    clearTimeout(timer || undefined)
    upgrade.socket.write(switchingProtocols(answer, ownHeaders(visit)))
    if (head.length > 0) upgrade.socket.write(head)
    if (upgrade.head.length > 0) socket.write(upgrade.head)
    visit.tally.isUpgraded = true
    joinSockets(upgrade.socket, socket)
    joined()
  })
  upstream.on('response', (answer) => {
    clearTimeout(timer || undefined)
    relay(visit, answer)
  })
  upstream.on('error', (error) => {
    clearTimeout(timer || undefined)
    if (!upgrade.socket.destroyed) failed(error)
  })
  upstream.end()
}

/** The upstream did not agree: its answer is the answer. */
function relay(visit: Visit, answer: IncomingMessage): void {
  const { response } = visit
  const { statusCode = 502, headersDistinct } = answer
  const dropped = connectionNames(answer.headers.connection)
  const flat = Object.entries(headersDistinct).flatMap(([name, values = []]) =>
    dropped.has(name) ? [] : values.flatMap((value) => [name, value]),
  )
  response.writeHead(statusCode, [...flat, ...ownHeaders(visit)])
  answer.on('error', () => response.destroy())
  answer.on('data', (chunk: Buffer) => {
    visit.tally.bytes += chunk.length
  })
  answer.pipe(response)
}
