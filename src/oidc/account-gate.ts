import type { TokenRefusal } from '../tokens/verify.ts'

/**
 * Knows the tokens of the cluster's service accounts, for a gateway in this process that looks at tokens itself. No rule
 * needs to name them: their issuer differs from cluster to cluster, and only the API server knows whether a pod is still there.
 */
export interface AccountGate {
  /** Judges a token; that nobody can tell now is a verdict, too. */
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
