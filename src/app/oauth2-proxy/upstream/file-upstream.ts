import { constants } from 'node:fs'
import { type FileHandle, open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { bodyBeside } from '../../../http/answer-bytes.ts'
import { fail } from '../../../kit/errors.ts'
import type { UpstreamOptions } from '../../../proxy/alpha/alpha-options.ts'
import { parseByteRange } from './byte-range.ts'
import { contentTypeOf } from './content-type.ts'
import { directoryListing } from './directory-listing.ts'
import { bytesOfText, cleanGoPath, escapeGoPath, readGoPath, textOfBytes } from './go-path.ts'
import { splitTarget } from './rewrite-target.ts'
import { answerRedirect, answerText, ownHeaders, type Upstream, type Visit } from './visit.ts'

/**
 * Opens a directory whose files are served (oauth2-proxy pkg/upstream/file.go, Go's `http.FileServer`): `index.html` for
 * a directory, else what is in it; ranges and `If-Modified-Since`. Links are followed, as ConfigMaps are mounted by them.
 */
export function openFileUpstream({ uri, path: prefix, rewriteTarget }: UpstreamOptions): Upstream {
  const root = directoryOf(uri)
  const isRewritten = rewriteTarget !== ''
  return (visit) => {
    const place = placeOf(visit.target, isRewritten ? '' : bytesOfText(prefix))
    if (place === undefined) notFound(visit)
    else
      serveFile(visit, { root, place }).catch((error: unknown) => {
        if (visit.response.headersSent) visit.response.destroy()
        else answerFault(visit, error)
      })
  }
}

function directoryOf(uri: string): string {
  const path = readGoPath(/^file:(?:\/\/[^/]*)?([^?#]*)/i.exec(uri)?.[1] ?? '')
  return path ? textOfBytes(path.decoded) : fail('config', `\`${uri}\` is no file URL`)
}

/** The path below the root, beginning with a slash; `undefined` where an escape hides the prefix (`http.StripPrefix`). */
function placeOf(target: string, prefix: string): string | undefined {
  const raw = splitTarget(target).path
  const read = readGoPath(raw)
  if (!read?.decoded.startsWith(prefix)) return undefined
  const isPlain = raw === escapeGoPath(read.decoded)
  if (!isPlain && !raw.startsWith(prefix)) return undefined
  const rest = read.decoded.slice(prefix.length)
  return rest.startsWith('/') ? rest : `/${rest}`
}

interface Asked {
  readonly root: string
  /** Decoded, one character per byte. */
  readonly place: string
}

async function serveFile(visit: Visit, { root, place }: Asked): Promise<void> {
  if (place.includes('\0')) {
    notFound(visit)
    return
  }
  const { query } = splitTarget(visit.target)
  const redirect = (location: string) => answerRedirect(visit, query === '' ? location : `${location}?${query}`)
  if (place.endsWith('/index.html')) {
    redirect('./')
    return
  }
  const clean = cleanGoPath(place).replace(/\/$/, '')
  const name = join(root, textOfBytes(clean))
  const last = escapeGoPath(clean.slice(clean.lastIndexOf('/') + 1))
  const file = await openReadable(name)
  try {
    if (file.isDirectory && !place.endsWith('/')) redirect(`${last}/`)
    else if (!file.isDirectory && place.endsWith('/')) redirect(`../${last}`)
    else if (!file.isDirectory) await sendFile(visit, file)
    else await serveDirectory(visit, { name, directory: file })
  } finally {
    await file.handle.close()
  }
}

async function serveDirectory(visit: Visit, { name, directory }: { name: string; directory: Readable }): Promise<void> {
  const index = await openReadable(join(name, 'index.html')).catch(() => undefined)
  try {
    if (index && !index.isDirectory) await sendFile(visit, index)
    else await sendListing(visit, { name, directory })
  } finally {
    await index?.handle.close()
  }
}

async function sendListing(visit: Visit, { name, directory }: { name: string; directory: Readable }): Promise<void> {
  const modified = directory.modified
  if (isUnchanged(visit, modified)) {
    answerUnchanged(visit, modified)
    return
  }
  const entries = await readdir(name, { withFileTypes: true })
  const body = directoryListing(entries.map((one) => ({ name: one.name, isDirectory: one.isDirectory() })))
  const headers = ['content-type', 'text/html; charset=utf-8', 'last-modified', modified.toUTCString()]
  visit.tally.bytes = Buffer.byteLength(body)
  const all = [...ownHeaders(visit), ...headers, 'content-length', String(visit.tally.bytes)]
  visit.response.writeHead(200, all)
  visit.response.end(bodyBeside(all, body))
}

/** A file or a directory, open. */
interface Readable {
  readonly name: string
  readonly handle: FileHandle
  readonly isDirectory: boolean
  readonly size: number
  readonly modified: Date
}

/** @throws NodeJS.ErrnoException for what is not there, may not be read, or is neither a file nor a directory. */
async function openReadable(name: string): Promise<Readable> {
  const handle = await open(name, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const stats = await handle.stat()
    if (!stats.isFile() && !stats.isDirectory()) throw Object.assign(new Error('no file'), { code: 'ENOENT' })
    const modified = new Date(Math.floor(stats.mtimeMs / 1000) * 1000)
    const facts = { name, isDirectory: stats.isDirectory(), size: stats.size, modified }
    return { handle, ...facts }
  } catch (error) {
    await handle.close()
    throw error
  }
}

async function sendFile(visit: Visit, file: Readable): Promise<void> {
  const { request, response } = visit
  const { size, modified, handle } = file
  if (isChangedSince(visit, modified)) {
    answerText(visit, 412, 'Precondition Failed')
    return
  }
  if (isUnchanged(visit, modified)) {
    answerUnchanged(visit, modified)
    return
  }
  const range = isRangeWanted(visit, modified) ? parseByteRange(request.headers.range, size) : 'all'
  if (range === 'none') {
    answerText(visit, 416, 'invalid range: failed to overlap', ['content-range', `bytes */${size}`])
    return
  }
  const { start, end } = range === 'all' ? { start: 0, end: size - 1 } : range
  const length = end - start + 1
  response.writeHead(range === 'all' ? 200 : 206, [
    ...ownHeaders(visit),
    ...['accept-ranges', 'bytes', 'content-length', String(length)],
    ...['content-type', await contentTypeOf(file)],
    ...['last-modified', modified.toUTCString()],
    ...(range === 'all' ? [] : ['content-range', `bytes ${start}-${end}/${size}`]),
  ])
  visit.tally.bytes = length
  if (request.method === 'HEAD' || length === 0) response.end()
  else await pipeline(handle.createReadStream({ start, end, autoClose: false }), response)
}

/** RFC 9110 §13.1.3; there are no entity tags, so `If-None-Match` is met by nothing but `*`. */
function isUnchanged({ request: { headers, method } }: Visit, modified: Date): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false
  const noneMatch = headers['if-none-match']
  if (noneMatch !== undefined) return noneMatch.trim() === '*'
  const since = Date.parse(headers['if-modified-since'] ?? '')
  return modified.getTime() > 0 && modified.getTime() <= since
}

/** RFC 9110 §13.1.1 and §13.1.4. */
function isChangedSince({ request: { headers } }: Visit, modified: Date): boolean {
  const match = headers['if-match']
  if (match !== undefined) return match.trim() !== '*'
  return modified.getTime() > Date.parse(headers['if-unmodified-since'] ?? '')
}

/** RFC 9110 §13.1.5: a range of what has changed meanwhile is of no use. */
function isRangeWanted({ request: { headers } }: Visit, modified: Date): boolean {
  const ifRange = headers['if-range']
  return ifRange === undefined || Date.parse(String(ifRange)) === modified.getTime()
}

function answerUnchanged(visit: Visit, modified: Date): void {
  visit.response.writeHead(304, [...ownHeaders(visit), 'last-modified', modified.toUTCString()])
  visit.response.end()
}

function notFound(visit: Visit): void {
  answerText(visit, 404, '404 page not found')
}

function answerFault(visit: Visit, error: unknown): void {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'EACCES' || code === 'EPERM') answerText(visit, 403, '403 Forbidden')
  else if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP' || code === 'ENAMETOOLONG') notFound(visit)
  else answerText(visit, 500, '500 Internal Server Error')
}
