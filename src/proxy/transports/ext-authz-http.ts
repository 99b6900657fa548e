import type { IncomingMessage, ServerResponse } from 'node:http'
import { bodyBeside } from '../../http/answer-bytes.ts'
import { type Random, randomText } from '../../kit/random.ts'
import type { CheckAnswer, CheckRequest } from '../check.ts'
import type { ProxyPart } from '../open-proxy.ts'

const maxFormBytes = 64 * 1024

/**
 * The proxy's own listener over `node:http`: Envoy's HTTP `ext_authz` at the original path, nginx `auth_request` and
 * forward-auth at `/oauth2/auth`, browsers at the endpoints. It writes no header and reads no body it need not.
 */
export function extAuthzHandler(
  proxy: Pick<ProxyPart, 'answer' | 'isOwnPath'>,
  options: FactsReaderOptions,
): (request: IncomingMessage, response: ServerResponse) => void {
  const factsOf = openFactsReader(options)
  return (request, response) => {
    const facts = factsOf(request)
    if (!facts) writeAnswer(response, badRequest)
    else if (isForm(request) && proxy.isOwnPath(facts.path)) {
      readPostedForm(request).then(
        (form) => settle(response, form ? proxy.answer(facts, form) : tooLarge),
        () => response.destroy(), // the client went away
      )
    } else settle(response, proxy.answer(facts))
  }
}

const plain = ['content-type', 'text/plain; charset=utf-8']
/** For a request target that is neither a path nor a URL, and for a host that is none or two (RFC 9112 §3.2). */
export const badRequest: CheckAnswer = { status: 400, headers: plain, body: 'Bad Request\n' }
/** For a form beyond 64 KiB. */
export const tooLarge: CheckAnswer = { status: 413, headers: plain, body: 'Content Too Large\n' }

function settle(response: ServerResponse, answer: CheckAnswer | Promise<CheckAnswer>): void {
  if (!(answer instanceof Promise)) writeAnswer(response, answer)
  else
    answer.then(
      (settled) => writeAnswer(response, settled),
      () => response.destroy(), // unexpected: it is logged where it happens
    )
}

/** Header lists with their length, and bodies, kept as long as the answer is: remembered sessions are answered from here. */
const wireForms = new WeakMap<CheckAnswer, { readonly headers: string[]; readonly body: string | Buffer }>()

/** Writes an answer as it is. */
export function writeAnswer(response: ServerResponse, answer: CheckAnswer): void {
  let form = wireForms.get(answer)
  if (form === undefined) {
    const headers = [...answer.headers, 'content-length', String(Buffer.byteLength(answer.body))]
    form = { headers, body: bodyBeside(headers, answer.body) }
    wireForms.set(answer, form)
  }
  response.writeHead(answer.status, form.headers)
  response.end(form.body)
}

/** How requests are read. */
export interface FactsReaderOptions {
  readonly random: Random
  readonly requestIdHeader: string
  /** What an Envoy puts before every path it asks about (`path_prefix`): taken away before anything is judged. */
  readonly pathPrefix?: string
}

/** Opens what makes the facts of requests; a request without an id gets one. `undefined` for a bad request. */
export function openFactsReader({
  random,
  requestIdHeader,
  pathPrefix = '',
}: FactsReaderOptions): (request: IncomingMessage) => CheckRequest | undefined {
  const idHeader = requestIdHeader.toLowerCase()
  const instance = randomText(random, 6)
  let serial = 0
  return (request) => {
    const sent = originForm(request.url ?? '')
    const { host = '' } = request.headers
    if (sent === undefined || hasTwoHosts(request.rawHeaders) || !isHost(host)) return undefined
    const path = pathPrefix === '' ? sent : withoutPrefix(sent, pathPrefix)
    // Node joins repeated headers into one text, but for `set-cookie`, which no one reads here.
    const headers = request.headers as Readonly<Record<string, string | undefined>>
    serial += 1
    return {
      method: request.method ?? 'GET',
      path,
      host,
      headers,
      clientAddress: request.socket.remoteAddress ?? '',
      requestId: headers[idHeader] ?? `${instance}-${serial}`,
    }
  }
}

/** Of two, one would be believed here and the other by the app behind. */
function hasTwoHosts(rawHeaders: readonly string[]): boolean {
  let found = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]
    if (name?.length === 4 && name.toLowerCase() === 'host') found += 1
  }
  return found > 1
}

/** Whether a text can be a host at all (RFC 3986 §3.2.2), as Go's `httpguts.ValidHostHeader` has it. */
function isHost(text: string): boolean {
  return /^[A-Za-z0-9\-._~!$&'()*+,;=:%[\]]*$/.test(text)
}

/** Emissary puts its prefix before the path as it stands, whether or not the prefix ends with a slash. */
function withoutPrefix(path: string, prefix: string): string {
  return path.startsWith(prefix) && path[prefix.length] === '/' ? path.slice(prefix.length) : path
}

/** The path of a request target (RFC 9112 §3.2); `undefined` for one that is neither a path nor a URL. */
function originForm(target: string): string | undefined {
  if (target.charCodeAt(0) === 0x2f) return target
  const match = /^https?:\/\/[^/?#]*(\/.*)?$/.exec(target)
  return match ? (match[1] ?? '/') : undefined
}

/** Whether a request posts a form. */
export function isForm({ method, headers }: IncomingMessage): boolean {
  return (
    method === 'POST' &&
    (headers['content-type']?.toLowerCase().startsWith('application/x-www-form-urlencoded') ?? false)
  )
}

/** The fields of a posted form; `undefined` for a body that is too large. */
export async function readPostedForm(request: IncomingMessage): Promise<URLSearchParams | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxFormBytes) return undefined
    chunks.push(chunk)
  }
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'))
}
