import { OAuthError } from '../../oauth/errors.ts'
import { answersChallenge, type CodeChallenge } from '../../oauth/pkce.ts'
import { redeemCode } from '../../oidc/codes.ts'
import type { Broker } from '../broker.ts'
import { codeKey } from '../code-key.ts'
import { endSession } from '../end-session.ts'
import type { Grant } from '../grant.ts'
import type { GrantedTokens, GrantRequest } from '../grant-request.ts'
import { subjectOf } from '../issue-tokens.ts'
import { startFamily } from './start-family.ts'

const invalidCode = 'Invalid or expired code parameter.'

/**
 * The authorization code grant (dex server/handlers.go `handleAuthCode`). Everything about the request is checked before
 * the code is counted as used: who cannot redeem it cannot burn it for its owner either. Another client's code is
 * `invalid_grant`, where Dex 2.45 answers 500.
 */
export async function redeemAuthorizationCode({ broker, client, form }: GrantRequest): Promise<GrantedTokens> {
  const code = form.get('code') ?? ''
  if (code === '') throw new OAuthError('invalid_request', 'Required param: code.')
  const key = codeKey(code)
  const found = await broker.codes.find(key)
  if (!found) throw new OAuthError('invalid_grant', invalidCode, { detail: 'the code is unknown or has expired' })
  if (found.request.clientId !== client.id) {
    throw new OAuthError('invalid_grant', invalidCode, { detail: 'the code belongs to another client' })
  }
  checkVerifier(form.get('code_verifier') ?? '', found.request.challenge)
  if ((form.get('redirect_uri') ?? '') !== found.request.redirectUri) {
    throw new OAuthError('invalid_request', 'redirect_uri did not match URI from initial request.')
  }
  const hasEnded = found.sid !== undefined && (await broker.sessions?.hasEnded(found.sid))
  const grant = await redeemCode(key, {
    codes: broker.codes,
    revoke: (used) => revokeIssued(broker, { grant: used, key }),
    description: invalidCode,
  })
  if (hasEnded) throw new OAuthError('invalid_grant', invalidCode, { detail: 'the session has ended' })
  const refreshToken = await startFamily(broker, grant, key)
  return { ...(await broker.issueTokens(subjectOf(grant), { code })), refreshToken }
}

/** PKCE (RFC 7636 §4.6), in Dex's words. */
function checkVerifier(verifier: string, challenge: CodeChallenge | undefined): void {
  if (!challenge && verifier === '') return
  if (!challenge) throw new OAuthError('invalid_request', 'No PKCE flow started. Cannot check code_verifier.')
  if (verifier === '') throw new OAuthError('invalid_grant', 'Expecting parameter code_verifier in PKCE flow.')
  if (!answersChallenge(verifier, challenge)) throw new OAuthError('invalid_grant', 'Invalid code_verifier.')
}

/** RFC 6749 §4.1.2: a code used twice has leaked, so what it gave is taken back. */
async function revokeIssued(broker: Broker, { grant, key }: { grant: Grant; key: string }): Promise<void> {
  broker.log.warn('a code was used twice; its tokens are revoked', { clientId: grant.request.clientId })
  await broker.families.revoke(key)
  if (grant.sid !== undefined) await endSession(broker, grant.sid)
}
