import { epochSeconds } from '../kit/clock.ts'
import { audiencesOf } from '../tokens/jwt.ts'
import { verifyJwt } from '../tokens/verify.ts'
import type { Broker } from './broker.ts'
import { unpackPair } from './protobuf-pair.ts'

/** What a genuine `id_token_hint` says. */
export interface LogoutHint {
  readonly sid: string
  readonly clientId: string
  readonly connectorId: string
  readonly isExpired: boolean
}

/**
 * Reads a hint. An expired token is accepted as long as a published key signed it (RP-Initiated Logout §2: “the OP
 * SHOULD accept ID Tokens … even when the exp time has passed”); `undefined` for anything that is not ours.
 */
export async function readLogoutHint({ keys, issuer, clock }: Broker, token: string): Promise<LogoutHint | undefined> {
  if (token === '') return undefined
  const now = epochSeconds(clock)
  const verified = verifyJwt(token, await keys.verificationKeys(), {
    issuer: issuer.url,
    nowSeconds: 0, // `exp` is judged below; no token of ours carries `nbf`
    skewSeconds: 0,
  })
  if (!verified.ok) return undefined
  const { sid, sub, azp, exp } = verified.claims
  const clientId = typeof azp === 'string' ? azp : audiencesOf(verified.claims)[0]
  const [, connectorId] = unpackPair(String(sub)) ?? []
  if (typeof sid !== 'string' || clientId === undefined || connectorId === undefined) return undefined
  return { sid, clientId, connectorId, isExpired: typeof exp !== 'number' || exp <= now }
}
