import type { Duplex } from 'node:stream'
import { type OpenSockets, openSockets } from '../../gateway/open-sockets.ts'
import type { Log } from '../../kit/log.ts'
import type { EndedSessions } from '../../oidc/ended-sessions.ts'
import type { AlphaOptions, UpstreamOptions } from '../../proxy/alpha/alpha-options.ts'
import type { ProxyConfig } from '../../proxy/config.ts'
import type { ProxyPart } from '../../proxy/open-proxy.ts'
import { parseSignatureKey } from '../../proxy/signature-key.ts'
import { writeAnswer } from '../../proxy/transports/ext-authz-http.ts'
import { openFileUpstream } from './upstream/file-upstream.ts'
import { cleanLocation, compileUpstreamPaths } from './upstream/find-upstream.ts'
import { compileForeignOrigin } from './upstream/foreign-origin.ts'
import { openHttpUpstream, type UpstreamCircumstances } from './upstream/http-upstream.ts'
import { compileRequestHeaders } from './upstream/request-headers.ts'
import type { Upstreams } from './upstream/serving.ts'
import { openStaticUpstreams, staticAnswer } from './upstream/static-upstreams.ts'
import { answerRedirect, answerText, type Upstream, type Visit } from './upstream/visit.ts'

/** What the upstreams are opened with. */
export interface UpstreamsOptions {
  readonly config: ProxyConfig
  readonly alpha: AlphaOptions
  /** Asked anew where it may have been replaced. */
  readonly proxy: () => Pick<ProxyPart, 'ended' | 'isOwnCookie'>
  readonly log: Log
}

/**
 * Opens the upstreams of a configuration. A proxy that only answers with a status (`static://`) leaves paths as they
 * are: somebody in front asks, and forwards.
 */
export function openUpstreams(options: UpstreamsOptions): Upstreams {
  const { upstreams } = options.alpha.upstreamConfig
  const isStatic = upstreams.every((one) => one.static && one.rewriteTarget === '')
  if (isStatic) return openStaticUpstreams(upstreams, { isLiteral: options.config.compat })
  return openForwarding(options)
}

function openForwarding({ config, alpha, proxy, log }: UpstreamsOptions): Upstreams {
  const { upstreamConfig, injectRequestHeaders: injected } = alpha
  const place = compileUpstreamPaths(upstreamConfig)
  const sockets = openSessionSockets(() => proxy().ended)
  const headersOf = compileRequestHeaders({ config, injected, isOwnCookie: (name) => proxy().isOwnCookie(name) })
  const isForeign = compileForeignOrigin(config)
  const assetsPath = `${config.proxy_prefix}/static`
  const key = parseSignatureKey(config.signature_key)
  const signatureKey = key && 'problem' in key ? undefined : key // a problem was told at start
  const circumstances = { headersOf, isForeign, keepOpen: sockets.keep, assetsPath, signatureKey, log }
  const opened = new Map(upstreamConfig.upstreams.map((one) => [one, openUpstream(one, circumstances)]))

  return {
    cleanLocation,
    serve({ path, ...rest }, done) {
      const found = place(path)
      const isFound = found.kind === 'upstream'
      const visit = { ...rest, target: isFound ? found.target : path, tally: { bytes: 0, isUpgraded: false } }
      tellWhenDone(visit, (status) =>
        done({ upstream: isFound ? found.upstream.id : '', status, size: visit.tally.bytes }),
      )
      if (found.kind === 'upstream') opened.get(found.upstream)?.serve(visit)
      else if (found.kind === 'redirect') answerRedirect(visit, found.location)
      else if (found.kind === 'nothing') answerText(visit, 404, '404 page not found')
      else answerText(visit, 400, 'Bad Request')
    },
    closeSockets: sockets.closeAll,
    closeUpgraded: sockets.closeUpgraded,
    async close() {
      sockets.closeAll()
      await Promise.all([...opened.values()].map(({ close }) => close()))
    },
  }
}

interface OpenUpstream {
  readonly serve: Upstream
  close(): Promise<void>
}

function openUpstream(options: UpstreamOptions, circumstances: UpstreamCircumstances): OpenUpstream {
  const close = () => Promise.resolve()
  if (options.static) return { serve: staticUpstream(options), close }
  if (/^file:/i.test(options.uri)) return { serve: openFileUpstream(options), close }
  return openHttpUpstream(options, circumstances)
}

function staticUpstream({ staticCode }: UpstreamOptions): Upstream {
  return (visit) => {
    const answer = staticAnswer(staticCode, visit.allowed)
    visit.tally.bytes = Buffer.byteLength(answer.body)
    writeAnswer(visit.response, answer)
  }
}

/** Told once: when the answer has gone, when the client has gone before it, or when an upgraded connection ends. */
function tellWhenDone({ response, upgrade, tally }: Visit, done: (status: number) => void): void {
  let isTold = false
  const tell = () => {
    if (isTold) return
    isTold = true
    if (tally.isUpgraded) done(101)
    else done(response.headersSent ? response.statusCode : 499)
  }
  response.once('finish', tell)
  response.once('close', tell)
  upgrade?.socket.once('close', tell)
}

/** What sessions leave open, until they end. */
function openSessionSockets(ended: () => EndedSessions) {
  let opened: { readonly ended: EndedSessions; readonly sockets: OpenSockets } | undefined
  const closeAll = () => {
    opened?.sockets.closeAll()
    opened = undefined
  }
  const upgraded = new Set<Duplex>()
  return {
    closeAll,
    closeUpgraded() {
      for (const socket of upgraded) socket.destroy()
    },
    keep({ allowed, response, upgrade }: Visit) {
      if (upgrade) {
        upgraded.add(upgrade.socket)
        upgrade.socket.once('close', () => upgraded.delete(upgrade.socket))
      }
      if (!allowed.session) return
      if (opened?.ended !== ended()) {
        closeAll()
        opened = { ended: ended(), sockets: openSockets(ended()) }
      }
      opened?.sockets.add(upgrade?.socket ?? response, [allowed.session])
    },
  }
}
