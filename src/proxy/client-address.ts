import { isIP } from 'node:net'
import { plainAddress } from './address-list.ts'
import type { CheckRequest } from './check.ts'
import { compileTrustedProxies } from './trusted-proxies.ts'
import type { ProxyConfig } from './typed-config.ts'

/** Headers a client's address may stand in (oauth2-proxy pkg/ip/realclientip.go). */
export const clientAddressHeaders: readonly string[] = [
  'X-Forwarded-For',
  'X-Real-IP',
  'X-ProxyUser-IP',
  'X-Envoy-External-Address',
  'CF-Connecting-IP',
]

/**
 * Compiles `real_client_ip_header`: the address of the client behind proxies that are believed, else the peer's. Of a
 * list the last entry counts that is no proxy of ours, since a client may write what it likes in front of it; the
 * original takes the first, and so do we with `compat`.
 */
export function compileClientAddress(config: ProxyConfig): (request: CheckRequest) => string {
  const isTrusted = compileTrustedProxies(config)
  const header = config.real_client_ip_header.toLowerCase()
  return ({ headers, clientAddress }) => {
    const peer = plainAddress(clientAddress)
    const told = isTrusted(clientAddress) ? headers[header] : undefined
    if (told === undefined) return peer
    const entries = told.split(',').map(withoutPort)
    const client = config.compat ? entries[0] : (entries.findLast((entry) => !isTrusted(entry)) ?? entries[0])
    return client !== undefined && isIP(client) !== 0 ? client : peer
  }
}

function withoutPort(entry: string): string {
  const text = entry.trim()
  const [, bracketed, plain] = /^(?:\[([^\]]+)\](?::\d+)?|([\d.]+):\d+)$/.exec(text) ?? []
  return bracketed ?? plain ?? text
}
