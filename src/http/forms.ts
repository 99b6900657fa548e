import { GatehouseError } from '../kit/errors.ts'

const maxFormBytes = 256 * 1024

/**
 * The fields of an `application/x-www-form-urlencoded` body; empty for other types.
 * @throws GatehouseError `body_too_large` beyond 256 KiB, `body_incomplete` where the client went away.
 */
export async function readForm(request: Request): Promise<URLSearchParams> {
  const type = request.headers.get('content-type') ?? ''
  if (!type.toLowerCase().startsWith('application/x-www-form-urlencoded')) return new URLSearchParams()
  return new URLSearchParams(await readText(request, maxFormBytes))
}

/** A body's text. @throws GatehouseError `body_too_large` beyond `limitBytes`, `body_incomplete` where it broke off. */
export async function readText(request: Request, limitBytes: number): Promise<string> {
  if (!request.body) return ''
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of request.body) {
      size += chunk.byteLength
      if (size > limitBytes) throw new GatehouseError('body_too_large', `the body is larger than ${limitBytes} bytes`)
      chunks.push(chunk)
    }
  } catch (cause) {
    if (cause instanceof GatehouseError) throw cause
    throw new GatehouseError('body_incomplete', 'the body broke off: the client went away', { cause })
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** The status for a body that could not be read, which is the client's fault; `undefined` for any other error. */
export function bodyFault(error: unknown): 400 | 413 | undefined {
  const code = error instanceof GatehouseError ? error.code : undefined
  if (code === 'body_too_large') return 413
  return code === 'body_incomplete' ? 400 : undefined
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
