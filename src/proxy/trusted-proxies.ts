import { BlockList, isIP } from 'node:net'
import type { ProxyConfig } from './config.ts'

/**
 * Compiles `reverse_proxy` and `trusted_proxy_ips`: whose `X-Forwarded-*` headers are believed. Unlike the original
 * nobody's are where the list is empty (CVE-2026-40575).
 */
export function compileTrustedProxies(config: ProxyConfig): (address: string) => boolean {
  if (!config.reverse_proxy || config.trusted_proxy_ips.length === 0) return () => false
  const list = new BlockList()
  for (const entry of config.trusted_proxy_ips) {
    const [network = '', bits] = entry.split('/')
    const family = isIP(network) === 6 ? 'ipv6' : 'ipv4'
    if (bits === undefined) list.addAddress(network, family)
    else list.addSubnet(network, Number(bits), family)
  }
  return (address) => {
    const plain = address.startsWith('::ffff:') ? address.slice(7) : address
    const version = isIP(plain)
    return version !== 0 && list.check(plain, version === 6 ? 'ipv6' : 'ipv4')
  }
}
