import { GatehouseError } from '../kit/errors.ts'

const maxFormBytes = 256 * 1024

/**
 * The fields of an `application/x-www-form-urlencoded` body; empty for other types.
 * @throws GatehouseError `body_too_large` beyond 256 KiB.
 */
export async function readForm(request: Request): Promise<URLSearchParams> {
  const type = request.headers.get('content-type') ?? ''
  if (!type.toLowerCase().startsWith('application/x-www-form-urlencoded')) return new URLSearchParams()
  return new URLSearchParams(await readText(request, maxFormBytes))
}

/** A body's text, up to `limitBytes`. @throws GatehouseError `body_too_large` beyond it. */
export async function readText(request: Request, limitBytes: number): Promise<string> {
  if (!request.body) return ''
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of request.body) {
    size += chunk.byteLength
    if (size > limitBytes) throw new GatehouseError('body_too_large', `the body is larger than ${limitBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** The first field that comes more than once (OAuth refuses those: RFC 6749 §3.1), or `undefined`. */
export function repeatedField(form: URLSearchParams): string | undefined {
  const seen = new Set<string>()
  for (const name of form.keys()) {
    if (seen.has(name)) return name
    seen.add(name)
  }
  return undefined
}
