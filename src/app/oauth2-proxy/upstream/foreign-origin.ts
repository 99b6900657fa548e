import type { IncomingMessage } from 'node:http'
import type { ProxyConfig } from '../../../proxy/config.ts'
import { compileRedirectRule } from '../../../proxy/redirect-target.ts'
import { compileTrustedProxies } from '../../../proxy/trusted-proxies.ts'

/**
 * Compiles whether a page of another site opened a WebSocket with the visitor's cookies (cross-site WebSocket
 * hijacking): its `Origin` is neither the host asked for, nor that of `redirect_url`, nor one of `whitelist_domains`.
 * Programs send no `Origin`, and without a cookie there is nothing to hijack. Never with `compat`, as in oauth2-proxy.
 */
export function compileForeignOrigin(config: ProxyConfig): (request: IncomingMessage) => boolean {
  const isListed = compileRedirectRule(config.whitelist_domains)
  const isTrusted = compileTrustedProxies(config)
  const own = URL.canParse(config.redirect_url) ? new URL(config.redirect_url).host : undefined
  return ({ headers, socket }) => {
    const { origin, cookie, host } = headers
    if (config.compat || origin === undefined || cookie === undefined) return false
    const from = origin.toLowerCase().replace(/^https?:\/\//, '')
    const forwarded = isTrusted(socket.remoteAddress ?? '') ? headers['x-forwarded-host'] : undefined
    return ![host, forwarded, own].some((one) => String(one).toLowerCase() === from) && !isListed(`${origin}/`)
  }
}
