import { isIP } from 'node:net'

/**
 * The client's address: the TCP peer, or with N trusted proxies in front the Nth `X-Forwarded-For` entry from the
 * right; the peer where there are fewer or that entry is no address (Envoy `use_remote_address`,
 * `xff_num_trusted_hops`).
 */
export function clientAddressOf(peer: string, forwardedFor: string | undefined, trustedProxies: number): string {
  if (trustedProxies === 0 || forwardedFor === undefined) return peer
  const entry = forwardedFor.split(',').at(-trustedProxies)?.trim() ?? ''
  return isIP(entry) === 0 ? peer : entry
}

/** The peer as written by a dual-stack socket, `::ffff:10.0.0.1`, is the IPv4 address `10.0.0.1`. */
export function peerAddressOf(address: string | undefined): string {
  if (address === undefined) return ''
  return address.startsWith('::ffff:') ? address.slice(7) : address
}
