import { BlockList, isIP } from 'node:net'

/**
 * Where nothing of ours has business, whatever a configuration, a document or a name server says: link-local addresses,
 * among them the ones clouds tell machines their secrets at, the unspecified address and multicast. Loopback and private
 * addresses are not among them: services in a cluster live there.
 */
const forbidden = new BlockList()
for (const [network, bits] of [
  ['0.0.0.0', 8], // reaches this machine itself
  ['169.254.0.0', 16], // RFC 3927; AWS, Azure, Google Cloud, OpenStack
  ['100.100.100.200', 32], // Alibaba Cloud
  ['168.63.129.16', 32], // Azure's agent
  ['192.0.0.192', 32], // Oracle Cloud
  ['224.0.0.0', 4],
] as const) {
  forbidden.addSubnet(network, bits, 'ipv4')
}
for (const [network, bits] of [
  ['::', 128],
  ['fe80::', 10], // RFC 4291 §2.5.6
  ['fd00:ec2::', 32], // AWS
  ['fd20:ce::', 32], // Google Cloud
  ['64:ff9b::a9fe:0', 112], // RFC 6052: 169.254.0.0/16 behind NAT64
  ['ff00::', 8],
] as const) {
  forbidden.addSubnet(network, bits, 'ipv6')
}

/** Names that only ever lead to such addresses. */
const forbiddenNames = new Set(['metadata.google.internal', 'metadata.goog', 'instance-data.ec2.internal'])

/** Whether an address (no name) is one that is never connected to. */
export function isForbiddenAddress(address: string): boolean {
  const [bare = ''] = address.split('%') // `fe80::1%eth0`
  const family = isIP(bare)
  return family !== 0 && forbidden.check(bare, family === 4 ? 'ipv4' : 'ipv6')
}

/** Whether the host of a URL, as `URL` spells it, is one that is never connected to; of a name only what it says. */
export function isForbiddenHost(hostname: string): boolean {
  const name = hostname.replace(/\.$/, '')
  return forbiddenNames.has(name) || isForbiddenAddress(withoutBrackets(name))
}

const inside = new BlockList()
for (const [network, bits] of [
  ['127.0.0.0', 8],
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['100.64.0.0', 10],
] as const) {
  inside.addSubnet(network, bits, 'ipv4')
}
inside.addAddress('::1', 'ipv6')
inside.addSubnet('fc00::', 7, 'ipv6')

/** Whether the host of a URL is, as written, this machine or a private address (RFC 1918, 4193, 6598). */
export function isPrivateHost(hostname: string): boolean {
  const name = hostname.replace(/\.$/, '')
  if (name === 'localhost' || name.endsWith('.localhost')) return true
  const bare = withoutBrackets(name)
  const family = isIP(bare)
  return family !== 0 && inside.check(bare, family === 4 ? 'ipv4' : 'ipv6')
}

function withoutBrackets(hostname: string): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
}
