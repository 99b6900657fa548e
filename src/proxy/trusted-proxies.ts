import { compileAddressList } from './address-list.ts'
import type { ProxyConfig } from './typed-config.ts'

/**
 * Compiles `reverse_proxy` and `trusted_proxy_ips`: whose `X-Forwarded-*` headers are believed. Unlike the original
 * nobody's are where the list is empty (CVE-2026-40575), unless `compat` asks for it. Who comes over a Unix socket, and
 * so has no address, is believed where anybody is.
 */
export function compileTrustedProxies(config: ProxyConfig): (address: string) => boolean {
  if (!config.reverse_proxy) return () => false
  if (config.trusted_proxy_ips.length === 0) return () => config.compat
  const isListed = compileAddressList(config.trusted_proxy_ips)
  return (address) => address === '' || isListed(address)
}
