import { claimsOf, isAccount, textsClaim } from '../identity.ts'
import type { SuggestionKind } from './kind.ts'

/**
 * A service account's token is for an audience nobody listed: list it. Never that of the API server itself, which apps
 * could use in the name of the pod.
 */
export const letAccountsIn: SuggestionKind = ({ situation, walk }) => {
  const { proxy, request } = situation
  const claims = claimsOf(request.identity)
  if (walk.cause?.kind !== 'token' || !claims || !isAccount(claims) || !proxy) return []
  const { kubernetes_token_audiences: listed } = proxy
  return textsClaim(claims, 'aud')
    .filter((audience) => !listed.includes(audience) && audience !== claims['iss'])
    .map((audience) => ({
      text: `let service accounts in: add \`${audience}\` to \`kubernetes_token_audiences\` of the proxy`,
      places: [],
      size: 2,
      apply: (one) => ({ ...one, proxy: { ...proxy, kubernetes_token_audiences: [...listed, audience] } }),
    }))
}
