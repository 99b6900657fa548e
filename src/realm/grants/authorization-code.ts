import { OAuthError } from '../../oauth/errors.ts'
import { answersChallenge, type CodeChallenge, isCodeVerifier } from '../../oauth/pkce.ts'
import { redeemCode } from '../../oidc/codes.ts'
import { codeRecordId } from '../login/authorization-code.ts'
import { grantScope } from '../tokens/scope.ts'
import type { GrantRequest } from './grant.ts'
import { offlineSession } from './offline-session.ts'

/** `authorization_code` (AuthorizationCodeGrantType): a failed try spends the code, a replay ends the client's session. */
export async function authorizationCode(request: GrantRequest) {
  const { realm, client, form, address } = request
  const text = form.get('code')
  if (text === null) throw new OAuthError('invalid_request', 'Missing parameter: code')
  const code = await redeemCode(codeRecordId(text), {
    codes: realm.codes,
    revoke: ({ sessionId, clientId }) => realm.sessions.endForClient(sessionId, clientId),
    description: 'Code not valid',
  })
  const found = await realm.sessions.findForClient(code.sessionId, code.clientId)
  const user = found && (await realm.users.load(found.session.userId))
  if (!user) throw new OAuthError('invalid_grant', 'Code not valid', { detail: 'the session has ended' })
  if (!user.enabled) throw new OAuthError('invalid_grant', 'User disabled')
  if (code.redirectUri !== undefined && form.get('redirect_uri') !== code.redirectUri)
    throw new OAuthError('invalid_grant', 'Incorrect redirect_uri')
  if (code.clientId !== client.id) {
    throw new OAuthError('invalid_grant', 'Auth error: Found different client_id in clientSession')
  }
  checkVerifier(form.get('code_verifier'), code.challenge)
  const scope = grantScope(client, code.scope)
  const { acr } = found.clientSession
  const session = await offlineSession({ realm, client, user, scope, session: found.session, acr, address })
  return { mark: 'ac' as const, client, user, scope, session, acr, nonce: code.nonce }
}

/** RFC 7636 §4.6, in Keycloak's words (PkceUtils). A verifier without a challenge is refused too: a downgrade. */
function checkVerifier(verifier: string | null, challenge: CodeChallenge | undefined): void {
  const fault = verifierFault(verifier, challenge)
  if (fault !== undefined) throw new OAuthError('invalid_grant', fault)
}

function verifierFault(verifier: string | null, challenge: CodeChallenge | undefined): string | undefined {
  if (!challenge) {
    return verifier === null ? undefined : 'PKCE code verifier specified but challenge not present in authorization'
  }
  if (verifier === null) return 'PKCE code verifier not specified'
  if (!isCodeVerifier(verifier)) return 'PKCE verification failed: Invalid code verifier'
  return answersChallenge(verifier, challenge) ? undefined : 'PKCE verification failed: Code mismatch'
}
