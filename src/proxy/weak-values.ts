import { parseGoDuration } from '../kit/duration.ts'
import type { ProxyKeyKind } from './keys.ts'

/** A key's value once typed: durations in milliseconds. */
export type ProxyValue = string | boolean | number | readonly string[]

/** What each kind accepts, for error messages. */
export const kindExpectations: Readonly<Record<ProxyKeyKind, string>> = {
  string: 'a text',
  bool: '`true` or `false`',
  int: 'a whole number',
  duration: 'a Go duration such as `24h` or `15m`',
  list: 'a list of texts, or one text with commas',
}

/**
 * Types a value the way viper does for oauth2-proxy (mapstructure's weak decoding): texts become booleans, numbers and
 * lists. A bare number for a duration is nanoseconds, as in Go; as a text it needs a unit. `undefined` where the value cannot be read.
 */
export function weakValue(kind: ProxyKeyKind, raw: unknown): ProxyValue | undefined {
  switch (kind) {
    case 'string':
      return weakText(raw)
    case 'bool':
      return weakBool(raw)
    case 'int':
      return weakInt(raw)
    case 'duration':
      return weakDuration(raw)
    case 'list':
      return weakList(raw)
  }
}

function weakText(raw: unknown): string | undefined {
  if (typeof raw === 'string') return raw
  if (typeof raw === 'number') return String(raw)
  if (typeof raw === 'boolean') return raw ? '1' : '0' // mapstructure, decodeString
  return undefined
}

// Go strconv.ParseBool
const boolWords = new Map([
  ...['1', 't', 'T', 'TRUE', 'true', 'True'].map((word) => [word, true] as const),
  ...['0', 'f', 'F', 'FALSE', 'false', 'False', ''].map((word) => [word, false] as const),
])

function weakBool(raw: unknown): boolean | undefined {
  if (typeof raw === 'boolean') return raw
  if (typeof raw === 'number') return raw !== 0
  return typeof raw === 'string' ? boolWords.get(raw) : undefined
}

function weakInt(raw: unknown): number | undefined {
  if (typeof raw === 'boolean') return Number(raw)
  if (typeof raw === 'number') return Number.isSafeInteger(Math.trunc(raw)) ? Math.trunc(raw) : undefined
  if (raw === '') return 0
  return typeof raw === 'string' && /^[+-]?\d{1,15}$/.test(raw) ? Number(raw) : undefined
}

function weakDuration(raw: unknown): number | undefined {
  if (typeof raw === 'boolean') return Number(raw) / 1e6
  if (typeof raw === 'number') return Number.isFinite(raw) ? Math.trunc(raw) / 1e6 : undefined
  return typeof raw === 'string' ? parseGoDuration(raw) : undefined
}

function weakList(raw: unknown): readonly string[] | undefined {
  if (raw === '') return []
  if (typeof raw === 'string') return raw.split(',')
  if (!Array.isArray(raw)) {
    const one = weakText(raw)
    return one === undefined ? undefined : [one]
  }
  const texts = raw.map(weakText)
  return texts.every((one) => one !== undefined) ? texts : undefined
}
