import type { Clock } from '../../kit/clock.ts'
import { GatehouseError } from '../../kit/errors.ts'
import type { AccountGate, GateVerdict } from '../../oidc/account-gate.ts'
import type { CheckRules } from '../check.ts'
import type { Session } from '../session.ts'
import type { ProxyConfig } from '../typed-config.ts'
import type { AccountTokens } from './account-tokens.ts'

/** As long as the proxy remembers a credential, in milliseconds. */
const believed = 60_000

/** Opens the gate: who is let in by `rules` is whom the proxy lets in itself. */
export function openAccountGate(
  tokens: AccountTokens,
  { config, rules, clock }: { config: ProxyConfig; rules: CheckRules; clock: Clock },
): AccountGate {
  async function verify(token: string): Promise<GateVerdict> {
    const outcome = await tokens.verify(token).catch(unavailable)
    if ('session' in outcome) return admitted(outcome.session)
    switch (outcome.refused) {
      case 'accounts-unavailable':
        return { kind: 'refused', reason: 'accounts-unavailable' }
      case 'not-authenticated':
      case 'no-user-name':
        return { kind: 'refused', reason: 'account-gone' }
      case 'not-a-service-account':
        return { kind: 'other', reason: undefined }
      default:
        return { kind: 'other', reason: outcome.refused }
    }
  }

  function admitted(session: Session): GateVerdict {
    if (!rules.mayEnter(session)) return { kind: 'refused', reason: 'account-barred' }
    const { user = '', groups = [], expiresAt = 0 } = session
    return { kind: 'account', name: user, groups, until: Math.min(expiresAt, clock.now() + believed) }
  }

  return { verify, refresh: tokens.refresh, issuerOfPeople: config.oidc_issuer_url }
}

function unavailable(error: unknown): { readonly refused: 'accounts-unavailable' } {
  if (error instanceof GatehouseError && error.code === 'cluster_unavailable')
    return { refused: 'accounts-unavailable' }
  throw error
}
