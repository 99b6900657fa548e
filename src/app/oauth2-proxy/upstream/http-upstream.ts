import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import type { HeaderList } from '../../../gateway/header-list.ts'
import { announcesBody } from '../../../http/upgrade.ts'
import type { Log } from '../../../kit/log.ts'
import type { UpstreamOptions } from '../../../proxy/alpha/alpha-options.ts'
import type { SignatureKey } from '../../../proxy/signature-key.ts'
import { answerBadGateway } from './error-page.ts'
import { forward } from './forward.ts'
import { forwardUpgrade } from './forward-upgrade.ts'
import { openOrigin } from './origin.ts'
import type { RequestHeaders } from './request-headers.ts'
import { readSignedBody, signatureOf } from './request-signature.ts'
import { answerText, gapAuthOf, type Upstream, type Visit } from './visit.ts'

/** What all upstreams share. */
export interface UpstreamCircumstances {
  readonly headersOf: RequestHeaders
  /** Whether a page of another site opened a WebSocket. */
  readonly isForeign: (request: IncomingMessage) => boolean
  /** Has what stays open closed when the session it was opened with ends. */
  readonly keepOpen: (visit: Visit) => void
  /** Path of the pages' files. */
  readonly assetsPath: string
  /** What requests are signed with. */
  readonly signatureKey: SignatureKey | undefined
  readonly log: Log
}

/** Opens a server that requests are forwarded to: `http`, `https` or `unix` (oauth2-proxy pkg/upstream/http.go). */
export function openHttpUpstream(
  options: UpstreamOptions,
  { headersOf, isForeign, keepOpen, assetsPath, signatureKey, log }: UpstreamCircumstances,
): { readonly serve: Upstream; close(): Promise<void> } {
  const { id, passHostHeader, proxyWebSockets, timeout } = options
  const origin = openOrigin(options)

  function serve(visit: Visit): void {
    const { request, allowed } = visit
    const headers = headersOf(request, allowed.forwarding?.toUpstream ?? [])
    if (!headers) {
      answerText(visit, 400, 'Bad Request')
      return
    }
    if (!passHostHeader) headers.set('host', origin.authority)
    if (signatureKey) void signed(visit, headers, signatureKey)
    else pass(visit, headers)
  }

  /** The signature goes ahead of the body it is also of, so that one is read first. */
  async function signed(visit: Visit, headers: HeaderList, key: SignatureKey): Promise<void> {
    const { request, response, target, allowed } = visit
    try {
      const body = announcesBody(request) ? await readSignedBody(request) : Buffer.alloc(0)
      if (body === undefined) {
        answerText(visit, 413, 'Request Entity Too Large')
        return
      }
      headers.set('gap-auth', gapAuthOf(allowed))
      headers.set('gap-signature', signatureOf({ method: request.method ?? 'GET', target, headers, body }, key))
      pass(visit, headers, Readable.from([body]))
    } catch {
      response.destroy() // the client went away
    }
  }

  function pass(visit: Visit, headers: HeaderList, body?: Readable): void {
    const { request, requestId, upgrade } = visit
    const failed = (cause: unknown) => {
      log.warn('upstream failed', { requestId, upstream: id, cause })
      void answerBadGateway(visit, assetsPath)
    }
    if (!upgrade) {
      forward(visit, { origin, headers, body, timeout, failed, lasts: () => keepOpen(visit) })
    } else if (isForeign(request)) {
      log.warn('websocket from a foreign origin', { requestId, upstream: id, origin: request.headers.origin })
      answerText(visit, 403, 'WebSocket from a foreign origin')
    } else if (proxyWebSockets) {
      forwardUpgrade(visit, upgrade, { origin, headers, timeout, failed, joined: () => keepOpen(visit) })
    } else answerText(visit, 403, 'WebSockets are not forwarded here')
  }

  return { serve, close: () => origin.close() }
}
