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
