import type { IncomingMessage } from 'node:http'
import type { Log } from '../../../kit/log.ts'
import type { UpstreamOptions } from '../../../proxy/alpha/alpha-options.ts'
import { answerBadGateway } from './error-page.ts'
import { forward } from './forward.ts'
import { forwardUpgrade } from './forward-upgrade.ts'
import { openOrigin } from './origin.ts'
import type { RequestHeaders } from './request-headers.ts'
import { answerText, type Upstream, type Visit } from './visit.ts'

/** What all upstreams share. */
export interface UpstreamCircumstances {
  readonly headersOf: RequestHeaders
  /** Whether a page of another site opened a WebSocket. */
  readonly isForeign: (request: IncomingMessage) => boolean
  /** Has what stays open closed when the session it was opened with ends. */
  readonly keepOpen: (visit: Visit) => void
  /** Path of the pages' files. */
  readonly assetsPath: string
  readonly log: Log
}

/** Opens a server that requests are forwarded to: `http`, `https` or `unix` (oauth2-proxy pkg/upstream/http.go). */
export function openHttpUpstream(
  options: UpstreamOptions,
  { headersOf, isForeign, keepOpen, assetsPath, log }: UpstreamCircumstances,
): { readonly serve: Upstream; close(): Promise<void> } {
  const { id, passHostHeader, proxyWebSockets, timeout } = options
  const origin = openOrigin(options)

  function serve(visit: Visit): void {
    const { request, requestId, upgrade, allowed } = visit
    const headers = headersOf(request, allowed.forwarding?.toUpstream ?? [])
    if (!headers) {
      answerText(visit, 400, 'Bad Request')
      return
    }
    if (!passHostHeader) headers.set('host', origin.authority)
    const failed = (cause: unknown) => {
      log.warn('upstream failed', { requestId, upstream: id, cause })
      void answerBadGateway(visit, assetsPath)
    }
    if (!upgrade) {
      forward(visit, { origin, headers, timeout, failed, lasts: () => keepOpen(visit) })
    } else if (isForeign(request)) {
      log.warn('websocket from a foreign origin', { requestId, upstream: id, origin: request.headers.origin })
      answerText(visit, 403, 'WebSocket from a foreign origin')
    } else if (proxyWebSockets) {
      forwardUpgrade(visit, upgrade, { origin, headers, timeout, failed, joined: () => keepOpen(visit) })
    } else answerText(visit, 403, 'WebSockets are not forwarded here')
  }

  return { serve, close: () => origin.close() }
}
