import { hash } from 'node:crypto'
import type { Fetch } from '../../http/part.ts'
import { GenerationCache } from '../../kit/cache.ts'
import type { Clock } from '../../kit/clock.ts'
import { GatehouseError } from '../../kit/errors.ts'
import type { JsonObject } from '../../tokens/jwt.ts'
import { profileOf } from '../provider/identifier.ts'
import type { Provider } from '../provider/provider.ts'

/** Asks the provider whom an access token is for. */
export interface Userinfo {
  /**
   * The claims, or `undefined` where the provider does not take the token; either is remembered for a while.
   * @throws GatehouseError `provider_unavailable`
   */
  claimsFor(accessToken: string): Promise<JsonObject | undefined>
}

const timeoutMilliseconds = 5000
const rememberFor = { taken: 60_000, refused: 10_000 }
/** Tokens remembered per generation, by their digests. */
const capacity = 5000
/** Calls under way at one time: tokens are made up faster than a provider looks at them. */
const mostAtOnce = 32

/** Opens the userinfo endpoint of the provider. */
export function openUserinfo({
  provider,
  fetch,
  clock,
}: {
  readonly provider: Pick<Provider, 'userinfoUrl'>
  readonly fetch: Fetch
  readonly clock: Clock
}): Userinfo {
  const underWay = new Map<string, Promise<JsonObject | undefined>>()
  const known = new GenerationCache<{ readonly claims: JsonObject | undefined; readonly until: number }>(capacity)

  async function ask(accessToken: string): Promise<JsonObject | undefined> {
    const url = await provider.userinfoUrl()
    if (url === undefined) throw away('has no userinfo endpoint')
    const headers = { authorization: `Bearer ${accessToken}`, accept: 'application/json' }
    const init = { headers, redirect: 'error', signal: AbortSignal.timeout(timeoutMilliseconds) } as const
    const response = await fetch(url, init).catch((cause: unknown) => {
      throw away('does not answer at its userinfo endpoint', cause)
    })
    if (response.ok) return profileOf(await response.text())
    if (response.status >= 500 || response.status === 429) throw away(`answered ${response.status} for userinfo`)
    return undefined
  }

  /** One call for all who ask about a token at the same time. */
  function askOnce(key: string, accessToken: string): Promise<JsonObject | undefined> {
    if (underWay.size >= mostAtOnce) throw away('is being asked about too many tokens at once')
    const asked = ask(accessToken)
      .then((claims) => {
        known.set(key, { claims, until: clock.now() + (claims ? rememberFor.taken : rememberFor.refused) })
        return claims
      })
      .finally(() => underWay.delete(key))
    underWay.set(key, asked)
    return asked
  }

  return {
    async claimsFor(accessToken) {
      const key = hash('sha256', accessToken, 'base64url')
      const before = known.get(key)
      if (before && clock.now() < before.until) return before.claims
      return underWay.get(key) ?? askOnce(key, accessToken)
    },
  }
}

function away(what: string, cause?: unknown): GatehouseError {
  return new GatehouseError('provider_unavailable', `the sign-in provider ${what}`, { cause })
}
