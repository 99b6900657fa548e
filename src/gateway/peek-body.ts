import type { IncomingMessage } from 'node:http'
import type { HeaderList } from './header-list.ts'

/** The beginning of a body. */
export interface PeekedBody {
  readonly bytes: Buffer
  /** Whether that is all of it. */
  readonly isWhole: boolean
}

/** Whether a request says that it has a body. */
export function hasBody(headers: HeaderList): boolean {
  return headers.isChunked || Number(headers.get('content-length') ?? 0) > 0
}

/**
 * Waits for the first `limit` bytes of a body, or all of it, and puts them back, so that the body is still forwarded
 * whole. `undefined` when the client goes away first.
 */
export function peekBody(request: IncomingMessage, limit: number): Promise<PeekedBody | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let size = 0
    const look = (): void => {
      // never reads past what is there: that would end the stream for whoever comes next
      while (request.readableLength > 0) {
        const chunk = request.read(request.readableLength) as Buffer
        chunks.push(chunk)
        size += chunk.length
      }
      if (size <= limit && !request.complete) return
      stop()
      const read = Buffer.concat(chunks)
      if (size > 0) request.unshift(read)
      resolve({ bytes: read.subarray(0, limit), isWhole: size <= limit })
    }
    const giveUp = (): void => {
      stop()
      resolve(undefined)
    }
    const stop = (): void => {
      request.off('readable', look)
      request.off('close', giveUp)
    }
    request.on('readable', look)
    request.on('close', giveUp)
    look()
  })
}
