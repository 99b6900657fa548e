import { type Clock, epochSeconds } from '../../kit/clock.ts'
import { GatehouseError } from '../../kit/errors.ts'
import type { Log } from '../../kit/log.ts'
import { audiencesOf, type JsonObject, parseJwt } from '../../tokens/jwt.ts'
import { openRemoteKeySet, type RemoteKeySet } from '../../tokens/remote-key-set.ts'
import { verifyIdToken } from '../provider/id-token.ts'
import type { Session } from '../session.ts'
import type { ClusterApi } from './cluster-api.ts'
import { type ReviewedUser, reviewToken } from './review-token.ts'

/** Verifies tokens of Kubernetes service accounts. */
export type VerifyAccountToken = (token: string) => Promise<{ session: Session } | { refused: string }>

/** How the API server spells itself where nobody chose another issuer. */
const usualIssuers: readonly string[] = [
  'https://kubernetes.default.svc',
  'https://kubernetes.default.svc.cluster.local',
]

/** Signature algorithms of kube-apiserver (`--service-account-signing-key-file`: RSA or ECDSA). */
const algorithms: readonly string[] = ['RS256', 'ES256', 'ES384', 'ES512']

/** Reviews under way at one time, where the server publishes no keys to tell forgeries by. */
const mostReviews = 32

/**
 * Asks the API server itself (TokenReview), which also knows that a token's pod or account is gone. Tokens that are
 * clearly no service account's, or forged, are not shown to it: strangers could keep it busy with them.
 * @throws GatehouseError `cluster_unavailable`
 */
export function openTokenReview(
  api: ClusterApi,
  { audiences, clock, log }: { readonly audiences: readonly string[]; readonly clock: Clock; readonly log: Log },
): VerifyAccountToken {
  const keySet = keysOf(api, { clock, log })
  let reviews = 0

  async function review(token: string) {
    if (reviews >= mostReviews) throw new GatehouseError('cluster_unavailable', 'too many tokens are being reviewed')
    reviews += 1
    try {
      return await reviewToken(api, token, audiences)
    } finally {
      reviews -= 1
    }
  }

  return async (token) => {
    const claims = accountClaims(token)
    if (!claims) return { refused: 'not-a-service-account' }
    if (!audiencesOf(claims).some((one) => audiences.includes(one))) return { refused: 'audience-mismatch' }
    const rules = { issuer: undefined, audienceClaims: ['aud'], audiences, algorithms }
    const verified = await verifyIdToken(token, { rules, keySet, nowSeconds: epochSeconds(clock) })
    if (!verified.ok && verified.reason !== 'no-keys') return { refused: verified.reason }
    const outcome = await (verified.ok ? reviewToken(api, token, audiences) : review(token))
    return 'refused' in outcome ? outcome : { session: sessionOf(token, claims, outcome.user, clock) }
  }
}

/** The keys the API server publishes. */
function keysOf(api: ClusterApi, { clock, log }: { readonly clock: Clock; readonly log: Log }): RemoteKeySet {
  return openRemoteKeySet({ url: `${api.url}/openid/v1/jwks`, fetch: api.fetch, clock, log })
}

/**
 * Verifies the signature by the keys the API server publishes; issuer and keys are discovered from it (KEP-1393), so
 * nothing needs to make them public (Kubeflow's `cluster-jwks-proxy`). A deleted account's tokens stay good until they
 * expire. @throws GatehouseError `cluster_unavailable`
 */
export function openTokenKeys(
  api: ClusterApi,
  { audiences, clock, log }: { readonly audiences: readonly string[]; readonly clock: Clock; readonly log: Log },
): VerifyAccountToken {
  const keySet = keysOf(api, { clock, log })
  let discovered: Promise<string> | undefined

  function issuer(): Promise<string> {
    discovered ??= api
      .get('/.well-known/openid-configuration')
      .then(({ issuer: found }) => (typeof found === 'string' ? found : ''))
    discovered.catch(() => {
      discovered = undefined // asked again with the next token
    })
    return discovered
  }

  return async (token) => {
    const claims = accountClaims(token)
    if (!claims) return { refused: 'not-a-service-account' }
    const isOurs = usualIssuers.includes(String(claims['iss'])) || claims['iss'] === (await issuer())
    if (!isOurs) return { refused: 'issuer-mismatch' }
    const rules = { issuer: undefined, audienceClaims: ['aud'], audiences, algorithms }
    const verified = await verifyIdToken(token, { rules, keySet, nowSeconds: epochSeconds(clock) })
    if (!verified.ok) return { refused: verified.reason }
    return { session: sessionOf(token, claims, { name: String(claims['sub']), groups: groupsOf(claims) }, clock) }
  }
}

/** The claims of a token that says it is a service account's: nothing is verified yet. */
function accountClaims(token: string): JsonObject | undefined {
  const jwt = parseJwt(token)
  if ('malformed' in jwt) return undefined
  const { sub } = jwt.claims
  return typeof sub === 'string' && /^system:serviceaccount:[^:]+:[^:]+$/.test(sub) ? jwt.claims : undefined
}

/** The groups every service account is in (Kubernetes serviceaccount/util.go `MakeGroupNames`). */
function groupsOf({ sub }: JsonObject): readonly string[] {
  const namespace = String(sub).split(':')[2]
  return ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated']
}

/** An account has no e-mail address: apps know it by its user name (Kubeflow's `kubeflow-userid` from `sub`). */
function sessionOf(token: string, { exp }: JsonObject, { name, groups }: ReviewedUser, clock: Clock): Session {
  return {
    createdAt: clock.now(),
    ...(typeof exp === 'number' ? { expiresAt: exp * 1000 } : {}),
    accessToken: token,
    idToken: token,
    user: name,
    email: name,
    groups,
  }
}
