const unitMilliseconds: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
}

/**
 * Reads a Go duration (`24h`, `1m30s`, `-1.5h`, `0`), the spelling Dex, oauth2-proxy and Istio use (Go
 * `time.ParseDuration`: no days). Returns milliseconds, or `undefined` where the text is none.
 */
export function parseGoDuration(text: string): number | undefined {
  const match = /^([+-]?)(.+)$/.exec(text)
  if (!match) return undefined
  const [, sign, rest = ''] = match
  if (rest === '0') return 0
  let total = 0
  let end = 0
  for (const part of rest.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/gy)) {
    total += Number(part[1]) * (unitMilliseconds[part[2] ?? ''] ?? Number.NaN)
    end = part.index + part[0].length
  }
  if (end !== rest.length || end === 0) return undefined
  return sign === '-' ? -total : total
}

/** Milliseconds as Go prints a duration (`time.Duration.String`): `1h30m0s`, `1.5s`, `200ms`, `0s`. */
export function formatGoDuration(milliseconds: number): string {
  const nanoseconds = Math.round(Math.abs(milliseconds) * 1e6)
  const sign = milliseconds < 0 && nanoseconds > 0 ? '-' : ''
  if (nanoseconds === 0) return '0s'
  if (nanoseconds < 1000) return `${sign}${nanoseconds}ns`
  if (nanoseconds < 1e6) return `${sign}${nanoseconds / 1000}µs`
  if (nanoseconds < 1e9) return `${sign}${nanoseconds / 1e6}ms`
  const minutes = Math.floor(nanoseconds / 60e9)
  const seconds = `${(nanoseconds - minutes * 60e9) / 1e9}s`
  if (minutes === 0) return sign + seconds
  const hours = Math.floor(minutes / 60)
  return `${sign}${hours === 0 ? '' : `${hours}h`}${minutes % 60}m${seconds}`
}
