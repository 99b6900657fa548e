import type { ChainConfig } from '../config/chain.ts'
import type { GatewayMode } from '../gateway/gateway-mode.ts'
import type { Fetch } from '../http/part.ts'
import { explain } from '../insight/explain/explain.ts'
import type { Explanation } from '../insight/explain/explanation.ts'
import { claimsFor, claimsOf, identityOf, isAccountForUs } from '../insight/explain/identity.ts'
import type { AskedRequest, Identity } from '../insight/explain/situation.ts'
import { type Clock, epochSeconds } from '../kit/clock.ts'
import type { Random } from '../kit/random.ts'
import { askLive, liveFetch } from './explain-live.ts'
import { openWalker } from './explain-walk.ts'

/** Who sends a request that is explained. */
export type Sender =
  | { readonly kind: 'anonymous' }
  /** Somebody the first trusted issuer vouches for. */
  | { readonly kind: 'user'; readonly user: string; readonly groups: readonly string[] }
  | { readonly kind: 'identity'; readonly identity: Identity }

/** A request to explain. */
export interface ExplainOptions {
  readonly chain: ChainConfig
  /** `istio` decides as Istio does, holes included; the chain's own unless told. */
  readonly mode?: GatewayMode | undefined
  readonly request: Omit<AskedRequest, 'identity'>
  readonly sender: Sender
  /** The origin of a running chain, whose issuers are asked for their keys. */
  readonly live: string | undefined
  readonly clock: Clock
  readonly random: Random
  /** How the running chain is reached; the network unless given. */
  readonly outside?: Fetch
}

/** Explains a request against a chain's configuration; nothing of the chain needs to run. */
export async function explainRequest(options: ExplainOptions): Promise<Explanation> {
  const {
    chain,
    mode = chain.gatewayMode ?? 'native',
    clock,
    random,
    live,
    request,
    sender,
    outside = (input, init) => fetch(input, init),
  } = options
  const nowSeconds = epochSeconds(clock)
  const { gateway, proxy } = chain
  const identity = identityOfSender(sender, { gateway, proxy, nowSeconds })
  const tries = await openWalker({ chain, mode, clock, random })
  // whom we make up, no issuer vouches for
  const isReal = identity === undefined || identity.kind === 'token'
  const isLive = live !== undefined && isReal
  const walker = isLive
    ? await openWalker({ chain, mode, clock, random, fetch: liveFetch(live, chain, outside) })
    : tries
  try {
    const explanation = await explain(
      { gateway, proxy, request: { ...request, identity } },
      { walk: walker.walk, tryOut: tries.walk, publicUrl: chain.publicUrl, nowSeconds },
    )
    const answered = isLive ? await askLive(live, { ...request, identity }) : undefined
    return {
      ...explanation,
      ...(answered ? { live: { ...answered, agrees: answered.status === explanation.verdict.status } } : {}),
      caveats: caveatsOf({ chain, identity, isLive, mode }),
    }
  } finally {
    await tries.close()
    if (walker !== tries) await walker.close()
  }
}

function identityOfSender(sender: Sender, about: Parameters<typeof claimsFor>[1]): Identity | undefined {
  if (sender.kind === 'anonymous') return undefined
  if (sender.kind === 'identity') return sender.identity
  return identityOf(claimsFor(sender, about), about.gateway)
}

/** What the explanation takes for granted. */
function caveatsOf({
  chain: { gateway, proxy },
  identity,
  isLive,
  mode,
}: {
  chain: ChainConfig
  mode: GatewayMode
  identity: Identity | undefined
  isLive: boolean
}): string[] {
  const caveats: string[] = []
  const claims = claimsOf(identity)
  if (mode === 'native' && claims && isAccountForUs(claims, proxy)) {
    caveats.push(
      'only the API server can tell whether it signed this service account’s token and still knows it (TokenReview): it is not asked here, and taken to say yes',
    )
  } else if (identity?.kind === 'token' && !isLive) {
    caveats.push(
      'the signature of the token was not checked unless its rule has the keys inline: name a running chain with --live URL',
    )
  }
  if (gateway.meshConfig.extensionProviders.length > 0 && !proxy) {
    caveats.push(
      'the provider is none that runs here: it is taken to allow who is signed in and to refuse the rest (403)',
    )
  }
  return caveats
}
