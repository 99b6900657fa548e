import type { Socket } from 'node:net'

/** What every HTTP/2 connection begins with (RFC 9113 §3.4); an HTTP/1.1 server refuses it as a request. */
const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1')

/**
 * Looks at the first bytes of a connection, as few as tell, and puts them back. Nothing is told of a connection that is
 * closed before.
 */
export function sniffProtocol(socket: Socket, tell: (protocol: 'http/1.1' | 'http/2') => void): void {
  let seen: Buffer = Buffer.alloc(0)
  const look = (): void => {
    const chunk: Buffer | null = socket.read()
    if (chunk === null) return
    seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk])
    const length = Math.min(seen.length, preface.length)
    const begins = seen.compare(preface, 0, length, 0, length) === 0
    if (begins && length < preface.length) return
    socket.off('readable', look)
    socket.off('error', ignore)
    socket.unshift(seen)
    tell(begins ? 'http/2' : 'http/1.1')
  }
  socket.on('error', ignore)
  socket.on('readable', look)
}

/** A reset before the first request is a close like any other. */
function ignore(): void {}
