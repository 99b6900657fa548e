import { PassThrough, type Readable } from 'node:stream'
import type { Exchange } from './exchange.ts'
import { hasBody } from './peek-body.ts'
import type { Mirror } from './virtual-service.ts'

/** Longer bodies are not kept for a copy, so that memory stays bounded. */
const maxBodyBytes = 1024 * 1024

/**
 * Sends a copy of the request to each mirror that is drawn; nobody waits for its answer. Where there is a body the copy
 * goes when all of it has passed. @returns the body to forward; `undefined` where there is none.
 */
export function mirror(exchange: Exchange, mirrors: readonly Mirror[], target: string): Readable | undefined {
  const { request, headers } = exchange
  const drawn = mirrors.filter(({ percentage }) => isDrawn(exchange, percentage))
  if (!hasBody(headers)) {
    for (const one of drawn) sendCopy(exchange, one, { target, body: undefined })
    return undefined
  }
  if (drawn.length === 0) return request
  const chunks: Buffer[] = []
  let size = 0
  const through = new PassThrough()
  through.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size <= maxBodyBytes) chunks.push(chunk)
  })
  through.pause()
  through.on('end', () => {
    if (size > maxBodyBytes) return
    const body = Buffer.concat(chunks)
    for (const one of drawn) sendCopy(exchange, one, { target, body })
  })
  request.on('error', (error) => through.destroy(error))
  return request.pipe(through)
}

function isDrawn({ context }: Exchange, percentage: number): boolean {
  return percentage === 100 || (context.random.bytes(4).readUInt32BE() / 2 ** 32) * 100 < percentage
}

/** Envoy marks the copy's host with `-shadow`. */
function sendCopy(
  exchange: Exchange,
  { destination: { host, port, namespace } }: Mirror,
  { target, body }: { readonly target: string; readonly body: Buffer | undefined },
): void {
  const { context, method, headers, requestId } = exchange
  const upstream = context.resolveUpstream(host, port, namespace)
  if (upstream?.kind !== 'origin') return
  const flat = [...headers.flat]
  for (let at = 0; at < flat.length; at += 2) {
    if (flat[at] === 'host') flat[at + 1] = shadowed(flat[at + 1] ?? '')
  }
  context.pools
    .get(upstream.origin)
    .request({ path: target, method: method as 'GET', headers: flat, body: body ?? null })
    .then((answer) => answer.body.dump())
    .catch((cause: unknown) => context.log.info('mirror failed', { requestId, origin: upstream.origin, cause }))
}

function shadowed(host: string): string {
  const port = /:\d+$/.exec(host)?.[0] ?? ''
  return `${host.slice(0, host.length - port.length)}-shadow${port}`
}
