import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import type { CheckRequest } from '../../proxy/check.ts'

/**
 * Where a request is sent by `force_https`; `undefined` for one that came by https, to us or to a proxy that is
 * believed. A port of ours is exchanged for the one of the TLS listener (pkg/middleware/redirect_to_https.go).
 */
export function httpsLocation(
  request: IncomingMessage,
  { headers, host, path, clientAddress }: CheckRequest,
  { isTrusted, port }: { isTrusted: (address: string) => boolean; port: number | undefined },
): string | undefined {
  const isBelieved = isTrusted(clientAddress)
  const told = isBelieved ? headers['x-forwarded-proto'] : undefined
  const isSecure = told === undefined ? isEncrypted(request) : told.toLowerCase() === 'https'
  if (isSecure) return undefined
  const wanted = (isBelieved ? headers['x-forwarded-host'] : undefined) ?? host
  const [, name = wanted, given] = /^(\[[^\]]*\]|[^:]*)(?::(\d*))?$/.exec(wanted) ?? []
  return `https://${name}${given ? `:${port ?? 443}` : ''}${path}`
}

function isEncrypted({ socket }: IncomingMessage): boolean {
  return (socket as Partial<TLSSocket>).encrypted === true // only TLS sockets have it
}
