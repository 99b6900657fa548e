import type { JsonObject } from '../../tokens/jwt.ts'
import type { ClusterApi } from './cluster-api.ts'

/** Whom the API server takes a token for. */
export interface ReviewedUser {
  readonly name: string
  readonly groups: readonly string[]
}

/**
 * A TokenReview (authentication.k8s.io/v1). A server that knows nothing of audiences would vouch for any of them: “a
 * client … that sets the spec.audiences field should validate that a compatible audience identifier is returned in the
 * status.audiences field” (Kubernetes API reference). @throws GatehouseError `cluster_unavailable`
 */
export async function reviewToken(
  api: ClusterApi,
  token: string,
  audiences: readonly string[],
): Promise<
  { readonly user: ReviewedUser } | { readonly refused: 'not-authenticated' | 'audience-mismatch' | 'no-user-name' }
> {
  const review = await api.post('/apis/authentication.k8s.io/v1/tokenreviews', {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenReview',
    spec: { token, ...(audiences.length > 0 ? { audiences } : {}) },
  })
  const status = objectOf(review['status'])
  if (status['authenticated'] !== true) return { refused: 'not-authenticated' }
  const vouchedFor = textsOf(status['audiences'])
  if (audiences.length > 0 && !vouchedFor.some((one) => audiences.includes(one))) {
    return { refused: 'audience-mismatch' }
  }
  const { username, groups } = objectOf(status['user'])
  if (typeof username !== 'string' || username === '') return { refused: 'no-user-name' }
  return { user: { name: username, groups: textsOf(groups) } }
}

function objectOf(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null ? (value as JsonObject) : {}
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []
}
