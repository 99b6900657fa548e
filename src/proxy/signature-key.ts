/** What requests are signed with for upstreams. */
export interface SignatureKey {
  /** As `node:crypto` names it; the header names it, too. */
  readonly algorithm: string
  readonly secret: string
}

const algorithms: readonly string[] = ['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512']

/**
 * Reads `signature_key`: `algorithm:secret` (oauth2-proxy pkg/validation/options.go `parseSignatureKey`); `undefined`
 * where it is empty. A problem is told without the secret.
 */
export function parseSignatureKey(text: string): SignatureKey | { readonly problem: string } | undefined {
  if (text === '') return undefined
  const [algorithm = '', secret, more] = text.split(':')
  if (secret === undefined || more !== undefined) return { problem: 'invalid signature hash:key spec' }
  if (!algorithms.includes(algorithm)) return { problem: `unsupported signature hash algorithm: ${algorithm}` }
  return { algorithm, secret }
}

/** What would do. */
export const signatureKeyFix = `write \`algorithm:secret\`; an algorithm is one of ${algorithms.join(', ')}`
