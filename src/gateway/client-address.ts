import { isIP, SocketAddress } from 'node:net'
import type { GatewayMode } from './gateway-mode.ts'

/**
 * The client's address: the TCP peer, or with N trusted proxies in front the Nth `X-Forwarded-For` entry from the
 * right; the peer where there are fewer or that entry is no address (Envoy `use_remote_address`,
 * `xff_num_trusted_hops`). To Envoy `::ffff:10.0.0.1` is in no range of IPv4; natively it is `10.0.0.1`.
 */
export function clientAddressOf(
  peer: string,
  forwardedFor: string | undefined,
  { trustedProxies, mode }: { readonly trustedProxies: number; readonly mode: GatewayMode },
): string {
  if (trustedProxies === 0 || forwardedFor === undefined) return peer
  const entry = forwardedFor.split(',').at(-trustedProxies)?.trim() ?? ''
  const version = isIP(entry)
  if (version === 0) return peer
  const address = version === 6 ? new SocketAddress({ address: entry, family: 'ipv6' }).address : entry
  return mode === 'native' ? peerAddressOf(address) : address
}

/** The peer as written by a dual-stack socket, `::ffff:10.0.0.1`, is the IPv4 address `10.0.0.1`. */
export function peerAddressOf(address: string | undefined): string {
  if (address === undefined) return ''
  return address.startsWith('::ffff:') ? address.slice(7) : address
}
