import type { Authentication } from '../../../gateway/authenticate.ts'
import type { Detail, Layer } from '../explanation.ts'
import { claimsOf, jwtRulesOf, textsClaim } from '../identity.ts'
import type { Situation, Walk } from '../situation.ts'

/** Which token was found, which rule verified it, or why none did. */
export function explainTokens(situation: Situation, walk: Walk): Layer {
  const { trace, cause, facts } = walk
  const authentication = trace.authentication
  if (cause?.kind === 'token') {
    return {
      name: 'tokens',
      outcome: 'stopped',
      summary: `refused: ${cause.refusal.text}`,
      details: refusal(situation, walk),
    }
  }
  if (!facts || !authentication) {
    const summary = cause ? 'never looked at' : 'not looked at: a CORS preflight'
    return { name: 'tokens', outcome: 'skipped', summary, details: [] }
  }
  if (authentication.kind === 'verified') return verified(situation, authentication)
  const summary =
    authentication.kind === 'none' ? 'no token found' : 'its issuer answers here and verifies its own token'
  const details = authentication.kind === 'none' ? whereLooked(situation) : []
  return { name: 'tokens', outcome: 'passed', summary, details }
}

function verified(situation: Situation, { token, found }: Extract<Authentication, { kind: 'verified' }>): Layer {
  const rule = jwtRulesOf(situation.gateway)[token.ruleIndex]
  const places = found.map(({ location }) => `${location.kind} \`${location.name}\``).join(', ')
  const names = token.headers.filter((_, at) => at % 2 === 0)
  const place = rule ? { place: rule.place } : {}
  return {
    name: 'tokens',
    outcome: 'passed',
    summary: `verified as \`${token.claims['iss']}/${token.claims['sub']}\``,
    details: [
      ...(token.isAccount
        ? [
            { mark: 'match' as const, text: `found in ${places}; ${ofAccounts(situation)} accept it` },
            { mark: 'info' as const, text: `told as the rule for \`${rule?.issuer}\` tells of people`, ...place },
          ]
        : [
            {
              mark: 'match' as const,
              text: `found in ${places}; the rule for \`${rule?.issuer}\` accepts it`,
              ...place,
            },
          ]),
      ...(names.length === 0
        ? []
        : [{ mark: 'info' as const, text: `sets ${names.map((name) => `\`${name}\``).join(', ')}` }]),
      ...(token.keepsToken
        ? []
        : [{ mark: 'info' as const, text: 'the token itself is removed (`forwardOriginalToken` is not set)' }]),
    ],
  }
}

/** What the token says beside what the rules ask for. */
function refusal(situation: Situation, { facts }: Walk): Detail[] {
  const claims = claimsOf(situation.request.identity)
  const told = claims
    ? [
        `issuer \`${claims['iss']}\``,
        `audience ${
          textsClaim(claims, 'aud')
            .map((one) => `\`${one}\``)
            .join(', ') || 'none'
        }`,
        ...(typeof claims['exp'] === 'number' ? [`expires ${new Date(claims['exp'] * 1000).toISOString()}`] : []),
      ].join(', ')
    : 'nothing in it can be read'
  const takesAccounts = facts?.state.isNative && (situation.proxy?.kubernetes_token_audiences ?? []).length > 0
  return [
    { mark: 'decides', text: `the token says: ${told}` },
    ...(takesAccounts ? [{ mark: 'info' as const, text: `trusted: ${ofAccounts(situation)}` }] : []),
    ...trusted(situation),
  ]
}

/** The key that lets service accounts in. */
function ofAccounts({ proxy }: Situation): string {
  const audiences = (proxy?.kubernetes_token_audiences ?? []).map((one) => `\`${one}\``).join(', ')
  return `the cluster’s service accounts of \`kubernetes_token_audiences\` (${audiences})`
}

function trusted({ gateway }: Situation): Detail[] {
  return jwtRulesOf(gateway).map(({ issuer, audiences, place }) => ({
    mark: 'info',
    text: `trusted: issuer \`${issuer || 'any'}\`${audiences.length === 0 ? '' : `, audience ${audiences.map((one) => `\`${one}\``).join(' or ')}`}`,
    place,
  }))
}

function whereLooked(situation: Situation): Detail[] {
  const rules = jwtRulesOf(situation.gateway)
  if (rules.length === 0)
    return [{ mark: 'info', text: 'no RequestAuthentication applies, so no token is ever verified' }]
  if (situation.request.headers.some(([name]) => name.toLowerCase() === 'authorization')) {
    return [
      {
        mark: 'info',
        text: 'there is an `Authorization` header, but no rule reads a token from it (`Bearer `, in this very case)',
      },
    ]
  }
  return []
}
