import type { JsonObject } from '../../../tokens/jwt.ts'
import { claimsOf, isAccount, jwtRulesOf } from '../identity.ts'
import { withIdentity } from './change-request.ts'
import type { Candidate, SuggestionKind } from './kind.ts'

/** A token was refused: mint it with other times, audience or issuer, one or several of them. */
export const freshToken: SuggestionKind = ({ situation, walk, nowSeconds }) => {
  const { identity } = situation.request
  const claims = claimsOf(identity)
  if (walk.cause?.kind !== 'token') return []
  if (!claims) return identity ? [asReadable(situation)] : []
  const rules = jwtRulesOf(situation.gateway)
  const kind = identity?.kind === 'session' ? 'session' : 'claims'
  const { exp: _exp, nbf: _nbf, ...timeless } = claims
  const times: Change = { text: 'valid now (it is expired, or not yet valid)', claims: { exp: nowSeconds + 3600 } }
  const changes: readonly (readonly Change[])[] = rules.flatMap(({ issuer, audiences }) => {
    const issuers =
      issuer === '' || issuer === claims['iss'] ? [] : [{ text: `issuer \`${issuer}\``, claims: { iss: issuer } }]
    const audience = audiences[0]
    const audienceChange =
      audience === undefined ? [] : [{ text: `audience \`${audience}\``, claims: { aud: audience } }]
    return [issuers, audienceChange, [...issuers, ...audienceChange], [...issuers, ...audienceChange, times]]
  })
  const audiencesOfAccounts = isAccount(claims) ? (situation.proxy?.kubernetes_token_audiences ?? []) : []
  const forAccounts = audiencesOfAccounts.map((aud) => [{ text: `audience \`${aud}\``, claims: { aud } }])
  return [[times], ...forAccounts, ...forAccounts.map((list) => [...list, times]), ...changes]
    .filter((list) => list.length > 0)
    .map((list): Candidate => {
      const isTimed = list.includes(times)
      const changed: JsonObject = Object.assign({}, isTimed ? timeless : claims, ...list.map((one) => one.claims))
      return {
        text: `mint the token with ${list.map(({ text }) => text).join(' and ')}`,
        places: [],
        size: list.length,
        apply: (one) => withIdentity(one, { kind, claims: changed }),
      }
    })
}

interface Change {
  readonly text: string
  readonly claims: JsonObject
}

/** What came as a token is none. */
function asReadable(situation: Parameters<SuggestionKind>[0]['situation']): Candidate {
  return {
    text: 'send no `Authorization` header: what it holds is no token',
    places: [],
    size: 1,
    apply: () => withIdentity(situation, undefined),
  }
}
