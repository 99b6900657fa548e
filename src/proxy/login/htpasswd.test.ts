import fc from 'fast-check'
import { expect, test } from 'vitest'
import { csvRecords } from './csv-records.ts'
import { parseEmails } from './emails-file.ts'
import { isPasswordOf, parseHtpasswd } from './htpasswd.ts'

test('records are lines of fields; comments, empty lines and leading spaces count for nothing', () => {
  expect(csvRecords('a:b\n\n#c:d\n e : f\r\n"g:h":i\n"j""k":\n:', ':')).toEqual([
    ['a', 'b'],
    ['e ', 'f'],
    ['g:h', 'i'],
    ['j"k', ''],
    ['', ''],
  ])
})

test('any text is some records, without what separates them', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      for (const fields of csvRecords(text, ',')) expect(fields.length).toBeGreaterThan(0)
      for (const address of parseEmails(text)) expect(address).toBe(address.trim().toLowerCase())
    }),
  )
})

test('plain fields come back as they were', () => {
  const field = fc.stringMatching(/^[A-Za-z0-9@.{}$/+=]{1,20}$/)
  fc.assert(
    fc.property(fc.array(fc.array(field, { minLength: 1, maxLength: 4 }), { maxLength: 5 }), (records) => {
      expect(csvRecords(records.map((fields) => fields.join(':')).join('\n'), ':')).toEqual(records)
    }),
  )
})

test('what is no hash is named, and the others with it', () => {
  expect(() => parseHtpasswd('ada:plain\neve:{SHA}\nbob:$apr1$x$y\nok:{SHA}abc')).toThrow(/`ada`, `eve`, `bob`/)
  expect([...parseHtpasswd('ok:{SHA}abc\nok2:$2y$05$x').keys()]).toEqual(['ok', 'ok2'])
})

test('a hash nobody can read is nobody’s password', async () => {
  expect(await isPasswordOf('$2b$05$broken', 'x')).toBe(false)
  expect(await isPasswordOf('{SHA}broken', 'x')).toBe(false)
})
