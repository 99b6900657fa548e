import type { Clock } from '../kit/clock.ts'
import type { Log } from '../kit/log.ts'
import { parseKeySet, type VerificationKey } from './jwk.ts'
import type { ParsedJwt } from './jwt.ts'

/** A JWK Set somewhere else: fetched when needed, kept while its issuer is down, fetched again for an unknown `kid`. */
export interface RemoteKeySet {
  /**
   * The keys that may verify this token. Asks the issuer again when none of the known ones has its `kid`, at most once
   * per cooldown and once for all waiters. `undefined` where no keys could be had at all.
   */
  keysFor(jwt: ParsedJwt): Promise<readonly VerificationKey[] | undefined>
}

const maxKeySetBytes = 1024 * 1024

/** Opens a remote set; nothing is fetched before the first token needs it. Times in milliseconds. */
export function openRemoteKeySet({
  url,
  fetch,
  clock,
  log,
  maxAge = 600_000,
  cooldown = 10_000,
  timeout = 5_000,
  refetchesUnknown = true,
}: {
  url: string
  fetch: (url: string, init: RequestInit) => Promise<Response>
  clock: Clock
  log: Log
  /** How old keys may be before they are fetched again in the background. */
  maxAge?: number
  /** The least time between two fetches that an unknown `kid` or an earlier failure asks for. */
  cooldown?: number
  timeout?: number
  /** Whether an unknown `kid` is a reason to ask again; without it only age is, as in istiod. */
  refetchesUnknown?: boolean
}): RemoteKeySet {
  let keys: readonly VerificationKey[] | undefined
  let fetchedAt = Number.NEGATIVE_INFINITY
  let triedAt = Number.NEGATIVE_INFINITY
  let fetching: Promise<void> | undefined

  function refetch(): Promise<void> {
    fetching ??= fetchKeys().finally(() => {
      fetching = undefined
    })
    return fetching
  }

  async function fetchKeys(): Promise<void> {
    triedAt = clock.now()
    try {
      const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(timeout) })
      if (!response.ok) throw new TypeError(`status ${response.status}`)
      const text = await response.text()
      if (text.length > maxKeySetBytes) throw new TypeError(`more than ${maxKeySetBytes} bytes`)
      keys = parseKeySet(JSON.parse(text))
      fetchedAt = triedAt
    } catch (cause) {
      log.warn('key set could not be fetched', { url, cause })
    }
  }

  return {
    async keysFor(jwt) {
      const mayTry = clock.now() - triedAt >= cooldown
      const isKnown = keys?.some(
        (key) =>
          !refetchesUnknown || key.kid === undefined || jwt.header.kid === undefined || key.kid === jwt.header.kid,
      )
      if (!isKnown && (mayTry || fetching)) await refetch()
      else if (clock.now() - fetchedAt > maxAge && mayTry) void refetch()
      return keys
    },
  }
}
