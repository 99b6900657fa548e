import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openSignedValue } from './signed-value.ts'

const secret = '7d16fee92f8d11b8940b081b3f8b8acb'
const now = 1_700_000_100

function signedAsItIs(encoded: string): string {
  const digest = createHmac('sha256', secret).update(`kf${encoded}${now}`).digest('base64url')
  return `${encoded}|${now}|${digest}=`
}

test('what is signed must be canonical base64url, wherever it is put', () => {
  const text = fc.string({ unit: fc.constantFrom(...'AbcZ09-_=+/.*\u00e9\u0141'), maxLength: 12 })
  const into = Buffer.alloc(8)
  fc.assert(
    fc.property(text, (encoded) => {
      const bytes = Buffer.from(encoded, 'base64url')
      const isCanonical = bytes.toString('base64').replaceAll('+', '-').replaceAll('/', '_') === encoded
      const expected = isCanonical ? bytes : undefined
      const rules = { secret, lifetimeSeconds: 0, nowSeconds: now }
      expect(openSignedValue('kf', signedAsItIs(encoded), rules)?.value).toEqual(expected)
      expect(openSignedValue('kf', signedAsItIs(encoded), { ...rules, into })?.value).toEqual(expected)
    }),
    { numRuns: 3000 },
  )
})
