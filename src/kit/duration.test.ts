import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseGoDuration } from './duration.ts'

test.each([
  ['0', 0],
  ['24h', 86_400_000],
  ['1m30s', 90_000],
  ['1.5h', 5_400_000],
  ['-2s', -2000],
  ['+5ms', 5],
  ['.5s', 500],
  ['100us', 0.1],
  ['', undefined],
  ['24', undefined],
  ['1d', undefined],
  ['h', undefined],
  ['1h ', undefined],
  ['1h30', undefined],
])('`%s` is %s ms', (text, milliseconds) => {
  expect(parseGoDuration(text)).toBe(milliseconds)
})

test('hours, minutes and seconds add up', () => {
  fc.assert(
    fc.property(fc.nat(999), fc.nat(59), fc.nat(59), (hours, minutes, seconds) => {
      expect(parseGoDuration(`${hours}h${minutes}m${seconds}s`)).toBe(((hours * 60 + minutes) * 60 + seconds) * 1000)
    }),
  )
})
