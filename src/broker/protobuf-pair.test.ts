import fc from 'fast-check'
import { expect, test } from 'vitest'
import { packPair, unpackPair } from './protobuf-pair.ts'

test.each([
  ['15841185641784', 'local', 'Cg4xNTg0MTE4NTY0MTc4NBIFbG9jYWw'],
  ['0-385-28089-0', 'mock', 'Cg0wLTM4NS0yODA4OS0wEgRtb2Nr'],
  ['my-client', '', 'CglteS1jbGllbnQ'],
])('a user of a connector becomes the subject Dex gives it', (userId, connectorId, subject) => {
  expect(packPair(userId, connectorId)).toBe(subject)
  expect(unpackPair(subject)).toEqual([userId, connectorId])
})

test('any two texts survive, long ones too', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), fc.string({ maxLength: 300 }), (first, second) => {
      fc.pre(first !== '' || second !== '')
      expect(unpackPair(packPair(first, second))).toEqual([first, second])
    }),
  )
})

test('no text makes the reader throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const pair = unpackPair(Buffer.from(bytes).toString('base64url'))
      expect(pair === undefined || pair.length === 2).toBe(true)
    }),
  )
  expect(unpackPair('not base64!')).toBeUndefined()
})
