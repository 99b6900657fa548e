import type { Clock } from '../kit/clock.ts'
import { limitedText } from '../kit/limited-text.ts'
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
  /** Asks the issuer now, whatever is known. @returns whether it answered with keys. Absent where they are at hand. */
  refresh?(): Promise<boolean>
}

const maxKeySetBytes = 1024 * 1024
/** Issuers publish a handful; every key is one more to try where a token names none. */
const maxKeys = 100

/** Opens a remote set; nothing is fetched before the first token needs it, or somebody refreshes it. Times in milliseconds. */
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
  let isDown = false
  let fetching: Promise<boolean> | undefined

  function refetch(): Promise<boolean> {
    fetching ??= fetchKeys().finally(() => {
      fetching = undefined
    })
    return fetching
  }

  async function fetchKeys(): Promise<boolean> {
    triedAt = clock.now()
    try {
      const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(timeout) })
      if (!response.ok) throw new TypeError(`status ${response.status}`)
      keys = readKeySet(await limitedText(response, maxKeySetBytes))
      fetchedAt = triedAt
      isDown = false
      return true
    } catch (cause) {
      log[isDown ? 'debug' : 'warn']('key set could not be fetched', { url, cause }) // once, until it works again
      isDown = true
      return false
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
    refresh: refetch,
  }
}

function readKeySet(text: string): readonly VerificationKey[] {
  const document: unknown = JSON.parse(text)
  const keys = parseKeySet(document)
  if (keys.length > maxKeys) throw new TypeError(`more than ${maxKeys} keys`)
  return keys
}
