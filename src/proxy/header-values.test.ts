import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeHeader } from '../http/header-text.ts'
import { headerValue, joinedHeaderValue, secretHeaderValue } from './header-values.ts'

test('a claim arrives as it is, or not at all', () => {
  expect(headerValue('ada@example.com')).toBe('ada@example.com')
  expect(headerValue('Ada Lovelace')).toBe('Ada Lovelace')
  expect(decodeHeader(headerValue('Müller 海'))).toBe('Müller 海')
  for (const text of [
    ' root',
    'root ',
    'root\n',
    '\troot',
    'ro\r\not',
    'root\u0085',
    'root\u00a0',
    '\u2028root',
    '\0',
  ]) {
    expect(headerValue(text), JSON.stringify(text)).toBe('')
  }
})

test('no two claims are one value', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const arrived = decodeHeader(headerValue(text).replace(/^[ \t]+|[ \t]+$/g, ''))
      expect(['', text.toWellFormed()]).toContain(arrived)
    }),
  )
})

test('a group that could be taken for another, or for two, is left out', () => {
  const groups = ['ml', 'a,b', 'admins\n', ' admins', 'x\r\nkubeflow-groups: admins', '', 'team/ml']
  expect(joinedHeaderValue(groups)).toBe('ml,team/ml')
})

test('a secret is taken without the line end of its file', () => {
  expect(secretHeaderValue('secret\n')).toBe('secret')
})
