import { GatehouseError } from '../../kit/errors.ts'
import type { JsonObject } from '../../tokens/jwt.ts'
import type { ProviderOptions } from '../alpha/provider-options.ts'
import type { Session } from '../session.ts'
import { claimAt, claimText, claimTexts } from './claims.ts'

/** Who the claims are about, and all of them: the ID token's laid over the profile's, as far as that was asked for. */
export interface Identity {
  readonly who: Pick<Session, 'user' | 'email' | 'groups' | 'preferredUsername' | 'additionalClaims'>
  readonly claims: JsonObject
}

/**
 * Who the claims are about (oauth2-proxy providers/provider_data.go `buildSessionFromClaims`): what the ID token lacks
 * is looked up in the profile, which is loaded at most once.
 * @throws GatehouseError `email_not_verified` for `email_verified: false`, unless that is allowed.
 */
export async function identityFromClaims(
  idClaims: JsonObject,
  { oidcConfig, additionalClaims }: ProviderOptions,
  loadProfile: () => Promise<JsonObject>,
): Promise<Identity> {
  let profile: JsonObject | undefined
  async function find<Value>(read: (claims: JsonObject) => Value | undefined): Promise<Value | undefined> {
    const found = read(idClaims)
    if (found !== undefined) return found
    profile ??= await loadProfile()
    return read(profile)
  }
  const { userIDClaim, insecureAllowUnverifiedEmail } = oidcConfig
  // the older setting counts where the newer is as it was (providers.go `newProviderDataFromConfig`)
  const emailClaim = oidcConfig.emailClaim === 'email' ? userIDClaim || 'email' : oidcConfig.emailClaim
  const email = await find((claims) => claimText(claims, emailClaim))
  const verified = idClaims['email_verified'] ?? profile?.['email_verified']
  const isUnverified = verified === false || verified === 'false' // Amazon Cognito sends texts
  if (emailClaim === 'email' && isUnverified && !insecureAllowUnverifiedEmail) {
    throw new GatehouseError('email_not_verified', 'the e-mail address of this account is not verified')
  }
  const user = claimText(idClaims, 'sub')
  const preferredUsername = await find((claims) => claimText(claims, 'preferred_username'))
  const groups = await find((claims) => claimTexts(claims, oidcConfig.groupsClaim))
  const more: [string, unknown][] = []
  for (const name of additionalClaims) more.push([name, await find((claims) => claimAt(claims, name))])
  const present = more.filter(([, value]) => value !== undefined)
  return {
    who: {
      ...(user === undefined ? {} : { user }),
      ...(email === undefined ? {} : { email }),
      ...(groups === undefined || groups.length === 0 ? {} : { groups }),
      ...(preferredUsername === undefined ? {} : { preferredUsername }),
      ...(present.length === 0 ? {} : { additionalClaims: Object.fromEntries(present) }),
    },
    claims: { ...profile, ...idClaims },
  }
}
