import { bodyBeside } from '../http/answer-bytes.ts'
import { errorPage } from '../http/views/error-page.ts'
import { pageResponse } from '../http/views/page.ts'
import type { AskAnswer } from './ask.ts'
import type { Exchange } from './exchange.ts'
import { grpcRefusal, isGrpc } from './grpc-refusals.ts'
import { headersOfRefusal } from './route-operations.ts'
import type { Refusal } from './token-refusals.ts'

/** What the gateway itself answers. */
export interface Answer {
  readonly status: number
  /** Flat. */
  readonly headers?: readonly string[]
  readonly body?: string
}

/**
 * Sends an answer of the gateway's own; every one that refuses tells the id by which it can be explained. What a provider
 * that allowed wants the browser to get, it gets with any of them, as from Envoy.
 */
export function respond(exchange: Exchange, { status, headers: own = [], body = '' }: Answer): void {
  const { response, requestId } = exchange
  if (response.headersSent || response.destroyed) return
  const headers = [...own, ...exchange.responseHeaders]
  if (isGrpc(exchange.headers.get('content-type'))) {
    respondGrpc(exchange, { status, headers, body })
    return
  }
  const all = [...headers, 'content-length', String(Buffer.byteLength(body))]
  if (status >= 400) all.push('x-request-id', requestId)
  response.writeHead(status, all)
  response.end(exchange.method === 'HEAD' ? undefined : bodyBeside(all, body))
}

/** To a gRPC call every answer of ours is one of status 200 with `grpc-status`, as from Envoy. */
function respondGrpc({ response, requestId }: Exchange, { status, headers = [], body = '' }: Answer): void {
  const kept: string[] = []
  for (let at = 0; at < headers.length; at += 2) {
    if (headers[at]?.toLowerCase() !== 'content-type') kept.push(headers[at] ?? '', headers[at + 1] ?? '')
  }
  const id = status >= 400 ? ['x-request-id', requestId] : []
  response.writeHead(200, [...grpcRefusal(status, body), ...kept, ...id, 'content-length', '0'])
  response.end()
}

/** A refusal, as a short text for people and programs. */
export function respondText(exchange: Exchange, status: number, body: string, headers: readonly string[] = []): void {
  const all = [...(body === '' ? [] : ['content-type', 'text/plain']), ...headers]
  respond(exchange, { status, body, headers: headersOfRefusal(exchange, all) })
}

/** The policies refused: Envoy's 403, or natively a page for people. */
export function respondForbidden(exchange: Exchange): void {
  respondForPeople(exchange, 403, {
    title: 'Access denied',
    message: 'You may not open this page.',
    advice: 'If you think you should, send the request id below to the people who run this platform.',
    plain: 'RBAC: access denied',
  })
}

/** A token was refused: Envoy's text and challenge. */
export function respondUnauthorized(exchange: Exchange, { status, text }: Refusal): void {
  const challenge = `Bearer realm="${realmOf(exchange)}", error="invalid_token"`
  respondForPeople(exchange, status, {
    title: status === 401 ? 'Your sign-in is not valid' : 'Access denied',
    message: `The token that came with this request was refused: ${text}.`,
    advice: 'Sign in again. If this stays, send the request id below to the people who run this platform.',
    plain: text,
    headers: ['www-authenticate', challenge],
  })
}

/** Nobody answers a request that was allowed: Envoy's text, or natively a page for people. */
export function respondFailure(
  exchange: Exchange,
  { status, text, headers = [] }: { status: number; text: string; headers?: readonly string[] },
): void {
  const tellUs = 'If this stays, send the request id below to the people who run this platform.'
  const { title, message, advice } = failures[status] ?? failures[503] ?? { title: text, message: text, advice: '' }
  respondForPeople(exchange, status, { title, message, advice: `${advice} ${tellUs}`, plain: text, headers })
}

const again = 'Try again in a moment.'
const failures: Readonly<Record<number, { title: string; message: string; advice: string }>> = {
  400: { title: 'This request cannot be read', message: 'The gateway does not understand it.', advice: again },
  403: {
    title: 'Access denied',
    message: 'This page may not be opened from there.',
    advice: 'Open it by its address.',
  },
  404: {
    title: 'Page not found',
    message: 'There is nothing at this address.',
    advice: 'It may have been mistyped, or the app behind it is not part of this platform.',
  },
  413: {
    title: 'Too large',
    message: 'What was sent is larger than this platform takes.',
    advice: 'Send less at once.',
  },
  500: { title: 'Something went wrong', message: 'The request could not be handled.', advice: again },
  503: {
    title: 'This app does not answer',
    message: 'The app behind this address could not be reached.',
    advice: again,
  },
  504: {
    title: 'This app takes too long',
    message: 'The app behind this address did not answer in time.',
    advice: again,
  },
}

const maxRealmCharacters = 256

/** Where the token was refused (Envoy jwt_authn/filter.cc); natively without the query, since it may carry a token. */
function realmOf({ state, context, scheme, host, path, query }: Exchange): string {
  if (!state.isNative) return `${scheme}://${host}${(path + query).slice(0, maxRealmCharacters)}`
  const origin = context.publicOrigin ?? `${scheme}://${host}`
  return `${origin}${path.slice(0, maxRealmCharacters)}`.replace(/["\\]/g, '')
}

interface ForPeople {
  readonly title: string
  readonly message: string
  readonly advice: string
  readonly plain: string
  readonly headers?: readonly string[]
}

function respondForPeople(exchange: Exchange, status: number, { plain, headers = [], ...props }: ForPeople): void {
  const { assetsPath } = exchange.context
  const wantsPage = exchange.state.isNative && (exchange.headers.get('accept') ?? '').includes('text/html')
  if (!wantsPage || assetsPath === undefined) {
    respondText(exchange, status, plain, headers)
    return
  }
  const { requestId } = exchange
  pageResponse(errorPage({ ...props, requestId, assetsPath }), { status })
    .then(async (page) => {
      respond(exchange, { status, headers: [...[...page.headers].flat(), ...headers], body: await page.text() })
    })
    .catch(() => respondText(exchange, status, plain, headers))
}

/** Relays what a provider answered instead of the app. */
export function respondAnswer(
  exchange: Exchange,
  { status, headers, body }: AskAnswer,
  isRelayed: (name: string) => boolean,
): void {
  const relayed: string[] = []
  for (let at = 0; at < headers.length; at += 2) {
    const name = (headers[at] ?? '').toLowerCase()
    if (isRelayed(name) && name !== 'x-request-id') relayed.push(name, headers[at + 1] ?? '')
  }
  // Envoy says `text/plain` of a body whose kind the provider did not tell, or was not let tell
  const hasType = relayed.some((name, at) => at % 2 === 0 && name === 'content-type')
  if (body !== '' && !hasType) relayed.push('content-type', 'text/plain')
  respond(exchange, { status, headers: headersOfRefusal(exchange, relayed), body })
}
