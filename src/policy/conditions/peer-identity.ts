import { anyOf, type ConditionKind } from './condition.ts'

/**
 * Conditions on the mesh identity of the caller (`principals`, `namespaces`, `serviceAccounts`, `trustDomains`). It comes
 * from a client certificate; callers at an edge gateway bring none, so a positive condition never holds and a negated
 * one always does.
 */
export const peerIdentity: ConditionKind = {
  needsIdentity: true,
  compile: () => () => false,
  matched: (_, { values }) => `the caller's mesh identity matches ${anyOf(values)}`,
  missed: () => 'callers at this gateway have no mesh identity (no client certificate)',
}

/** A trust domain is a host with at most one wildcard, at its start or end (istio pkg/config/security `ValidateTrustDomain`). */
export const trustDomain: ConditionKind = {
  ...peerIdentity,
  mistake: (value) => (/^\*?[^*/]*$|^[^*/]*\*$/.test(value) ? undefined : `\`${value}\` is no trust domain`),
}
