import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MessageReader, MessageWriter } from './protobuf.ts'

test('the encoding guide’s own examples', () => {
  expect(new MessageWriter().integer(1, 150).finish().toString('hex')).toBe('089601')
  expect(new MessageWriter().text(2, 'testing').finish().toString('hex')).toBe('120774657374696e67')
  const nested = new MessageWriter().message(3, new MessageWriter().integer(1, 150))
  expect(nested.finish().toString('hex')).toBe('1a03089601')
  expect(new MessageWriter().integer(1, -2).finish().toString('hex')).toBe('08feffffffffffffffff01')
})

test('what is written is read', () => {
  const field = fc.integer({ min: 1, max: 2000 })
  fc.assert(
    fc.property(
      field,
      fc.array(fc.string({ unit: 'grapheme', minLength: 1 })),
      fc.integer(),
      (number, texts, value) => {
        const writer = new MessageWriter().integer(number, value)
        for (const text of texts) writer.text(number, text)
        const reader = new MessageReader(new MessageWriter().message(7, writer).finish()).message(7)
        expect(reader?.texts(number)).toEqual(texts)
        expect(reader?.integer(number)).toBe(value)
      },
    ),
  )
})

test('fields of other kinds are skipped', () => {
  const fixed = Buffer.from('0900000000000000001501020304', 'hex') // field 1 fixed64, field 2 fixed32
  const reader = new MessageReader(Buffer.concat([fixed, new MessageWriter().text(3, 'here').finish()]))
  expect([reader.text(3), reader.has(1), reader.integer(2)]).toEqual(['here', false, 0])
})

test('any bytes are a message or refused, never anything else', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      try {
        new MessageReader(Buffer.from(bytes))
      } catch (error) {
        expect(error).toBeInstanceOf(TypeError)
      }
    }),
  )
})
