import type { IncomingMessage, ServerResponse } from 'node:http'
import { announcesBody, isWebSocket, responseOver } from '../../http/upgrade.ts'
import type { Random } from '../../kit/random.ts'
import type { CheckAnswer, CheckRequest } from '../../proxy/check.ts'
import { compileClientAddress } from '../../proxy/client-address.ts'
import type { ProxyConfig } from '../../proxy/config.ts'
import type { ProxyPart } from '../../proxy/open-proxy.ts'
import {
  badRequest,
  isForm,
  openFactsReader,
  readPostedForm,
  tooLarge,
  writeAnswer,
} from '../../proxy/transports/ext-authz-http.ts'
import { compileTrustedProxies } from '../../proxy/trusted-proxies.ts'
import type { RequestHandler } from '../open-server.ts'
import { httpsLocation } from './https-location.ts'
import type { RequestMetrics } from './metrics.ts'
import { asOriginal } from './original-answer.ts'
import type { LoggedRequest, TextLog } from './text-log.ts'
import type { Served, Upstreams } from './upstream/serving.ts'
import { gapAuthOf, type Upgrade } from './upstream/visit.ts'

/** What the front is made from. */
export interface FrontOptions {
  readonly config: ProxyConfig
  /** Asked at each request, since a new cookie secret means a new proxy. */
  readonly proxy: () => ProxyPart
  readonly upstreams: Upstreams
  readonly random: Random
  readonly now: () => number
  readonly lines: TextLog
  readonly metrics: RequestMetrics | undefined
  /** Port of the TLS listener, for `force_https`; asked late, since it may be any free one. */
  readonly securePort: () => number | undefined
}

/** A request under way. */
interface Visit {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly upgrade: Upgrade | undefined
  readonly facts: CheckRequest
  readonly logged: LoggedRequest
  readonly isProbe: boolean
}

/**
 * The program's own listener, in oauth2-proxy's order (oauthproxy.go `buildPreAuthChain`): https, probes, then the
 * proxy's endpoints and the check, and the upstreams for what may pass. Every request is logged, all but probes counted.
 */
export function openFront(options: FrontOptions): RequestHandler {
  const { config, proxy, upstreams, random, now, lines, metrics, securePort } = options
  const factsOf = openFactsReader({
    random,
    requestIdHeader: config.request_id_header,
    pathPrefix: config.ext_authz_path_prefix,
  })
  const clientOf = compileClientAddress(config)
  const isTrusted = compileTrustedProxies(config)

  function handle(request: IncomingMessage, response: ServerResponse, upgrade?: Upgrade): void {
    const facts = factsOf(request)
    if (!facts) {
      writeAnswer(response, badRequest)
      return
    }
    if (hasBrokenEscape(facts.path)) {
      writeAnswer(response, badRequest)
      return
    }
    const clean = upstreams.cleanLocation(facts.path)
    if (clean !== undefined) {
      response.writeHead(301, { location: clean, 'content-length': 0 }).end()
      return
    }
    const toHttps = config.force_https ? httpsLocation(request, facts, { isTrusted, port: securePort() }) : undefined
    if (toHttps !== undefined) {
      response.writeHead(308, { location: toHttps, 'content-length': 0 }).end()
      return
    }
    const probed = proxy().probe(facts)
    const logged = loggedRequest(request, facts)
    const visit = { request, response, upgrade, facts, logged, isProbe: probed !== undefined }
    if (probed) settle(visit, probed)
    else serve(visit)
  }

  function serve(visit: Visit): void {
    const { request, facts } = visit
    metrics?.begin()
    lines.begin(visit.logged)
    if (!isForm(request) || !proxy().isOwnPath(facts.path)) {
      settle(visit, proxy().answer(facts))
      return
    }
    readPostedForm(request).then(
      (form) => settle(visit, asOwn(form ? proxy().answer(facts, form) : tooLarge)),
      () => giveUp(visit, 499), // the client went away
    )
  }

  function settle(visit: Visit, answer: CheckAnswer | Promise<CheckAnswer>): void {
    if (!(answer instanceof Promise)) respond(visit, answer)
    else
      answer.then(
        (settled) => respond(visit, settled),
        () => giveUp(visit, 500), // unexpected: it is logged where it happens
      )
  }

  function respond(visit: Visit, answer: CheckAnswer): void {
    const { request, response, upgrade, facts } = visit
    const { status } = answer
    const user = gapAuthOf(answer) || (answer.user ?? '')
    if (status === 200 && answer.verdict !== 'deny') {
      const { path, requestId } = facts
      const allowed = { request, response, upgrade, path, requestId, allowed: answer }
      upstreams.serve(allowed, (served) => finish(visit, served, user))
      return
    }
    const written = config.compat ? asOriginal(answer, facts.method) : answer
    writeAnswer(response, written)
    finish(visit, { status, size: Buffer.byteLength(written.body), upstream: '' }, user)
  }

  function giveUp(visit: Visit, status: number): void {
    visit.response.destroy()
    finish(visit, { status, size: 0, upstream: '' }, '')
  }

  function finish({ logged, isProbe }: Visit, { status, size, upstream }: Served, user: string): void {
    const seconds = Math.max(0, now() - logged.startedAt) / 1000
    if (!isProbe) {
      metrics?.end({ method: logged.method, status, seconds })
      lines.end(logged)
    }
    if (isProbe && config.silence_ping_logging) return
    lines.request(logged, { status, size: logged.method === 'HEAD' ? 0 : size, user, upstream, seconds })
  }

  function loggedRequest(request: IncomingMessage, facts: CheckRequest): LoggedRequest {
    const { method, path, host, headers, clientAddress, requestId } = facts
    const peer = config.reverse_proxy ? clientOf(facts) : `${clientAddress}:${request.socket.remotePort ?? 0}`
    const toldHost = isTrusted(clientAddress) ? headers['x-forwarded-host'] : undefined
    return {
      client: clientAddress === '' ? '@' : peer,
      host: toldHost ?? host,
      ...{ method, path, requestId },
      protocol: `HTTP/${request.httpVersion}`,
      userAgent: headers['user-agent'] ?? '',
      startedAt: now(),
    }
  }

  return {
    handle: (request, response) => handle(request, response),
    upgrade(request, socket, head) {
      socket.on('error', () => socket.destroy())
      const response = responseOver(request, socket)
      if (isWebSocket(request)) handle(request, response, { socket, head })
      else if (head.length === 0 && !announcesBody(request)) handle(request, response)
      // its body would be lost: Node has given up the connection's framing
      else writeAnswer(response, badRequest)
    },
  }
}

/** An answer of one of the proxy's own paths is no leave to pass. */
function asOwn(answer: CheckAnswer | Promise<CheckAnswer>): CheckAnswer | Promise<CheckAnswer> {
  if (answer instanceof Promise) return answer.then((settled) => ({ ...settled, verdict: 'deny' }))
  return { ...answer, verdict: 'deny' }
}

/** Whether the path cannot be decoded: Go's server takes no such request. */
function hasBrokenEscape(target: string): boolean {
  return target.includes('%') && /^[^?]*%(?![0-9A-Fa-f]{2})/.test(target)
}
