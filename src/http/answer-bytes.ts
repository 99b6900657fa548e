import type { ServerResponse } from 'node:http'

/**
 * A body to send right after a head. Node writes a text together with the head, in UTF-8: a header that holds bytes, one
 * character each, as those that tell claims do, would be encoded once more. Beside such a header the body is bytes, too.
 */
export function bodyBeside(headers: readonly string[], body: string): string | Buffer {
  return headers.some(hasBytes) ? Buffer.from(body) : body
}

function hasBytes(text: string): boolean {
  return /[\x80-\xff]/.test(text)
}

const noBytes = Buffer.alloc(0)

/** Sends the head of an answer before there is any body. `flushHeaders` would encode its bytes once more, see above. */
export function sendHead(response: ServerResponse): void {
  response.write(noBytes)
}
