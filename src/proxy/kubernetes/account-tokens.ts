import { type Clock, epochSeconds } from '../../kit/clock.ts'
import { GatehouseError } from '../../kit/errors.ts'
import type { Log } from '../../kit/log.ts'
import { audiencesOf, type JsonObject, parseJwt } from '../../tokens/jwt.ts'
import { openRemoteKeySet, type RemoteKeySet } from '../../tokens/remote-key-set.ts'
import type { TokenRefusal } from '../../tokens/verify.ts'
import { verifyIdToken } from '../provider/id-token.ts'
import type { Session } from '../session.ts'
import type { ClusterApi } from './cluster-api.ts'
import { type ReviewedUser, reviewToken } from './review-token.ts'

/** Verifies tokens of Kubernetes service accounts. */
export interface AccountTokens {
  /** @throws GatehouseError `cluster_unavailable` where the API server must be asked and does not answer. */
  verify(token: string): Promise<AccountVerdict>
  /** Asks the API server for what it publishes now. @returns whether it answered. */
  refresh(): Promise<boolean>
}

/** The account as a session, or why the token is not believed. */
export type AccountVerdict = { readonly session: Session } | { readonly refused: AccountRefusal }

/** `not-authenticated`: the signature is the cluster's, and yet the API server does not know the token any more. */
export type AccountRefusal = TokenRefusal['reason'] | 'not-a-service-account' | 'not-authenticated' | 'no-user-name'

interface Dependencies {
  /** One of them must be among the token's. */
  readonly audiences: readonly string[]
  readonly clock: Clock
  readonly log: Log
}

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
 */
export function openTokenReview(api: ClusterApi, dependencies: Dependencies): AccountTokens {
  const { audiences, clock } = dependencies
  const keySet = keysOf(api, dependencies)
  let reviews = 0

  /** For a server that publishes no keys. */
  async function reviewUnseen(token: string) {
    if (reviews >= mostReviews) throw new GatehouseError('cluster_unavailable', 'too many tokens are being reviewed')
    reviews += 1
    try {
      return await reviewToken(api, token, audiences)
    } finally {
      reviews -= 1
    }
  }

  async function verify(token: string): Promise<AccountVerdict> {
    const claims = accountClaims(token)
    if (!claims) return { refused: 'not-a-service-account' }
    if (!audiencesOf(claims).some((one) => audiences.includes(one))) return { refused: 'audience-mismatch' }
    const verified = await verifySignature(token, keySet, dependencies)
    if (!verified.ok && verified.reason !== 'no-keys') return { refused: verified.reason }
    const outcome = await (verified.ok ? reviewToken(api, token, audiences) : reviewUnseen(token))
    return 'refused' in outcome ? outcome : { session: sessionOf(token, claims, outcome.user, clock) }
  }

  return {
    verify: oncePerToken(tellingOutages(verify, dependencies.log)),
    refresh: () => keySet.refresh?.() ?? Promise.resolve(true),
  }
}

/**
 * Verifies the signature by the keys the API server publishes; issuer and keys are discovered from it (KEP-1393), so
 * nothing needs to make them public (Kubeflow's `cluster-jwks-proxy`). A deleted account's tokens stay good until they
 * expire.
 */
export function openTokenKeys(api: ClusterApi, dependencies: Dependencies): AccountTokens {
  const keySet = keysOf(api, dependencies)
  let discovered: string | undefined
  let asking: Promise<string> | undefined

  async function askIssuer(): Promise<string> {
    const { issuer } = await api.get('/.well-known/openid-configuration')
    discovered = typeof issuer === 'string' ? issuer : ''
    return discovered
  }

  function discover(): Promise<string> {
    asking ??= askIssuer().finally(() => {
      asking = undefined
    })
    return asking
  }

  async function verify(token: string): Promise<AccountVerdict> {
    const claims = accountClaims(token)
    if (!claims) return { refused: 'not-a-service-account' }
    const verified = await verifySignature(token, keySet, dependencies)
    if (!verified.ok) return verified.reason === 'no-keys' ? keysUnknown() : { refused: verified.reason }
    const { iss, sub } = claims
    const isOurs = usualIssuers.includes(String(iss)) || iss === (discovered ?? (await discover()))
    if (!isOurs) return { refused: 'issuer-mismatch' }
    const name = String(sub)
    return { session: sessionOf(token, claims, { name, groups: groupsOfAccount(name) }, dependencies.clock) }
  }

  return {
    verify: oncePerToken(tellingOutages(verify, dependencies.log)),
    async refresh() {
      const [issuer, keys] = await Promise.allSettled([discover(), keySet.refresh?.()])
      return issuer.status === 'fulfilled' && keys.status === 'fulfilled' && keys.value !== false
    },
  }
}

function keysUnknown(): never {
  throw new GatehouseError('cluster_unavailable', 'the Kubernetes API server has not told its keys')
}

/** The keys the API server publishes: kept while it is away. */
function keysOf({ url, fetch }: ClusterApi, { clock, log }: Dependencies): RemoteKeySet {
  return openRemoteKeySet({ url: `${url}/openid/v1/jwks`, fetch, clock, log })
}

function verifySignature(token: string, keySet: RemoteKeySet, { audiences, clock }: Dependencies) {
  const rules = { issuer: undefined, audienceClaims: ['aud'], audiences, algorithms }
  return verifyIdToken(token, { rules, keySet, nowSeconds: epochSeconds(clock) })
}

/** Once, until an account is let in again: an operator may have to grant us something. */
function tellingOutages(verify: AccountTokens['verify'], log: Log): AccountTokens['verify'] {
  let isOut = false
  return async (token) => {
    try {
      const verdict = await verify(token)
      if ('session' in verdict) isOut = false
      return verdict
    } catch (cause) {
      log[isOut ? 'debug' : 'warn']('service accounts cannot be judged', { cause })
      isOut = true
      throw cause
    }
  }
}

/** Who comes with a token that is being judged waits for that verdict. */
function oncePerToken(verify: AccountTokens['verify']): AccountTokens['verify'] {
  const judging = new Map<string, Promise<AccountVerdict>>()
  return (token) => {
    const before = judging.get(token)
    if (before) return before
    const verdict = verify(token).finally(() => judging.delete(token))
    judging.set(token, verdict)
    return verdict
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
export function groupsOfAccount(name: string): readonly string[] {
  const namespace = name.split(':')[2]
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
