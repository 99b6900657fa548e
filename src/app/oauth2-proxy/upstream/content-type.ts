import type { FileHandle } from 'node:fs/promises'
import { getMimeType } from 'hono/utils/mime'

/** The first bytes say whether a file is a text (Go's `http.DetectContentType` looks at as many). */
const looked = 512

/**
 * The type of a file: by its ending, else a text where nothing in its beginning says otherwise. Never a type that a
 * browser runs, unless the ending says so.
 */
export async function contentTypeOf({ name, handle }: { name: string; handle: FileHandle }): Promise<string> {
  const known = getMimeType(name)
  if (known !== undefined) return known
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(looked), 0, looked, 0)
  const isBinary = buffer.subarray(0, bytesRead).some(isControl)
  return isBinary ? 'application/octet-stream' : 'text/plain; charset=utf-8'
}

/** What no text has: control characters but for tab, line ends, form feed and escape. */
function isControl(byte: number): boolean {
  return byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0c && byte !== 0x0d && byte !== 0x1b
}
