import { withoutSecrets } from '../../gateway/without-secrets.ts'
import type { Explanation } from './explanation.ts'
import { claimsOf, textClaim } from './identity.ts'
import { layers } from './layers/index.ts'
import type { Situation, Walk, WalkThrough } from './situation.ts'
import { suggest } from './suggest/suggest.ts'
import { verdictOf } from './verdict.ts'

/** How explanations come about. */
export interface Explaining {
  /** Decides about the request itself. */
  readonly walk: WalkThrough
  /** Tries changes; unlike `walk` it never asks anybody outside. */
  readonly tryOut: WalkThrough
  /** The origin browsers use. */
  readonly publicUrl: string
  readonly nowSeconds: number
}

/** Explains one request: its way, layer by layer, and what would alter it. */
export async function explain(situation: Situation, explaining: Explaining): Promise<Explanation> {
  const walk = await explaining.walk(situation)
  const { request } = situation
  return {
    version: 1,
    request: {
      method: request.method,
      url: `${new URL(explaining.publicUrl).protocol}//${request.host}${withoutSecrets(request.target)}`,
      as: whoSends(situation, walk),
      from: walk.facts?.clientAddress ?? request.peerAddress,
    },
    verdict: verdictOf(walk),
    layers: layers.flatMap((layer) => layer(situation, walk) ?? []),
    suggestions: await suggest({ situation, walk, nowSeconds: explaining.nowSeconds }, explaining.tryOut),
    caveats: [],
  }
}

function whoSends({ request: { identity } }: Situation, { facts }: Walk): string {
  const claims = facts?.claims ?? claimsOf(identity)
  if (!claims) return 'anonymous'
  return textClaim(claims, 'email') ?? textClaim(claims, 'sub') ?? 'a token without a name'
}
