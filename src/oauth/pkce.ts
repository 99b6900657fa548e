import { createHash, timingSafeEqual } from 'node:crypto'

/** A PKCE challenge as it came with the authorization request (RFC 7636 §4.3). */
export interface CodeChallenge {
  readonly challenge: string
  readonly method: 'S256' | 'plain'
}

/** The S256 challenge of a verifier (RFC 7636 §4.2). */
export function challengeOf(verifier: string): string {
  return createHash('sha256').update(verifier).digest('base64url')
}

/** The syntax of a verifier (RFC 7636 §4.1): 43 to 128 unreserved characters. */
export function isCodeVerifier(verifier: string): boolean {
  return /^[A-Za-z0-9\-._~]{43,128}$/.test(verifier)
}

/** Whether the verifier belongs to the challenge (RFC 7636 §4.6), compared in constant time. */
export function answersChallenge(verifier: string, { challenge, method }: CodeChallenge): boolean {
  return isEqualSecret(method === 'S256' ? challengeOf(verifier) : verifier, challenge)
}

/** Compares two secrets in a time that tells nothing about where, or whether, they differ. */
export function isEqualSecret(given: string, expected: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(hash(given), hash(expected))
}
