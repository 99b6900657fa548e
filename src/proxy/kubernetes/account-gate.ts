import type { Clock } from '../../kit/clock.ts'
import { GatehouseError } from '../../kit/errors.ts'
import type { TokenRefusal } from '../../tokens/verify.ts'
import type { CheckRules } from '../check.ts'
import type { Session } from '../session.ts'
import type { ProxyConfig } from '../typed-config.ts'
import type { AccountTokens } from './account-tokens.ts'

/** Service accounts of the cluster, for a gateway in this process that looks at tokens itself. */
export interface AccountGate {
  /** Judges a token. Never throws. */
  verify(token: string): Promise<GateVerdict>
  /** Asks the API server for its keys now. @returns whether it answered. */
  refresh(): Promise<boolean>
  /** Apps are told of an account in the words they are told of the people of this issuer. */
  readonly issuerOfPeople: string
}

/** What a token is worth. */
export type GateVerdict =
  | {
      readonly kind: 'account'
      /** `system:serviceaccount:NAMESPACE:NAME` */
      readonly name: string
      readonly groups: readonly string[]
      /** How long it is believed without judging it again, milliseconds since the epoch. */
      readonly until: number
    }
  /** None of an account of this cluster for an audience of ours; where it says it is, why not. */
  | { readonly kind: 'other'; readonly reason: TokenRefusal['reason'] | undefined }
  /** The cluster's (or nobody can tell now), and not believed. */
  | { readonly kind: 'refused'; readonly reason: 'account-gone' | 'account-barred' | 'accounts-unavailable' }

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
