import { GatehouseError } from '../../kit/errors.ts'
import type { JsonObject } from '../../tokens/jwt.ts'
import type { ProxyConfig } from '../config.ts'
import type { Session } from '../session.ts'
import { claimText, claimTexts, keycloakRoles } from './claims.ts'

/**
 * Who the claims are about (oauth2-proxy providers/provider_data.go `buildSessionFromClaims`): what the ID token lacks
 * is looked up in the profile, which is loaded at most once.
 * @throws GatehouseError `email_not_verified` for `email_verified: false`, unless that is allowed.
 */
export async function sessionFromClaims(
  idClaims: JsonObject,
  config: ProxyConfig,
  { loadProfile, accessToken }: { loadProfile: () => Promise<JsonObject>; accessToken: string },
): Promise<Pick<Session, 'user' | 'email' | 'groups' | 'preferredUsername'>> {
  let profile: JsonObject | undefined
  async function find<Value>(read: (claims: JsonObject) => Value | undefined): Promise<Value | undefined> {
    const found = read(idClaims)
    if (found !== undefined) return found
    profile ??= await loadProfile()
    return read(profile)
  }
  const { user_id_claim: userIdClaim, oidc_email_claim: configuredEmail } = config
  const emailClaim = userIdClaim === 'email' || userIdClaim === '' ? configuredEmail : userIdClaim
  const email = await find((claims) => claimText(claims, emailClaim))
  const verified = idClaims['email_verified'] ?? profile?.['email_verified']
  const isUnverified = verified === false || verified === 'false' // Amazon Cognito sends texts
  if (emailClaim === 'email' && isUnverified && !config.insecure_oidc_allow_unverified_email) {
    throw new GatehouseError('email_not_verified', 'the e-mail address of this account is not verified')
  }
  const user = claimText(idClaims, 'sub')
  const preferredUsername = await find((claims) => claimText(claims, 'preferred_username'))
  const named = (await find((claims) => claimTexts(claims, config.oidc_groups_claim))) ?? []
  const groups = config.provider === 'keycloak-oidc' ? [...named, ...keycloakRoles(accessToken)] : named
  return {
    ...(user === undefined ? {} : { user }),
    ...(email === undefined ? {} : { email }),
    ...(groups.length === 0 ? {} : { groups }),
    ...(preferredUsername === undefined ? {} : { preferredUsername }),
  }
}
