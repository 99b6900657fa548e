/** Whose keys grow old. */
export interface Refreshable {
  /** Asks the issuer now. @returns whether it answered with keys. Absent where there is nobody to ask. */
  refresh?(): Promise<boolean>
}

/** Keeps keys fresh in the background, so that no request waits for an issuer and a new key is known before it signs. */
export interface KeyRefresher {
  /** From now on these are kept fresh, and no others; those not watched before are asked at once. */
  watch(sources: readonly Refreshable[]): void
  close(): void
}

/** How often, in milliseconds: istiod's own interval (PILOT_JWT_PUB_KEY_REFRESH_INTERVAL) and back-off (jwks_resolver.go). */
const interval = 20 * 60_000
const firstRetry = 60_000
const longestRetry = 60 * 60_000

/** Opens a refresher that watches nothing yet. */
export function openKeyRefresher(): KeyRefresher {
  const timers = new Map<Refreshable, NodeJS.Timeout | undefined>()

  async function refresh(source: Refreshable, retry: number): Promise<void> {
    const isFresh = (await source.refresh?.().catch(() => false)) ?? true
    if (!timers.has(source)) return
    const next = isFresh ? firstRetry : Math.min(2 * retry, longestRetry)
    timers.set(source, setTimeout(() => void refresh(source, next), isFresh ? interval : retry).unref())
  }

  function forget(source: Refreshable): void {
    clearTimeout(timers.get(source))
    timers.delete(source)
  }

  return {
    watch(sources) {
      const wanted = new Set(sources.filter((source) => source.refresh))
      for (const source of timers.keys()) if (!wanted.has(source)) forget(source)
      for (const source of wanted) {
        if (timers.has(source)) continue
        timers.set(source, undefined)
        void refresh(source, firstRetry)
      }
    },
    close() {
      for (const source of timers.keys()) forget(source)
    },
  }
}
