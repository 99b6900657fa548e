import type { StaticClient } from './config.ts'

/** “Show me the code”: the page of a client that cannot take a redirect. */
export const outOfBandUri = 'urn:ietf:wg:oauth:2.0:oob'

/**
 * Whether a client may be redirected there (dex server/oauth2.go `validateRedirectURI`): exactly one of its registered
 * texts. Only a public client that registered none may use the out-of-band page, or plain http on the machine itself
 * with any port and path (RFC 8252 §7.3).
 */
export function isRedirectUriAllowed(client: Pick<StaticClient, 'public' | 'redirectURIs'>, uri: string): boolean {
  if (client.redirectURIs.includes(uri)) return uri !== ''
  if (!client.public || client.redirectURIs.length > 0) return false
  return uri === outOfBandUri || isLoopback(uri)
}

function isLoopback(uri: string): boolean {
  // Spaces, control characters and backslashes are read differently by different parsers: never loopback.
  if (!/^http:\/\/[\x21-\x5b\x5d-\x7e]+$/.test(uri)) return false
  const authority = /^http:\/\/([^/?#]*)/.exec(uri)?.[1] ?? ''
  const host = /^(localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/.exec(authority)?.[1]
  return host?.split('.').every((octet) => !(Number(octet) > 255)) ?? false
}
