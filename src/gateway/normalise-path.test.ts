import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { normalisePath, type PathNormalisation } from './normalise-path.ts'

const modes: readonly PathNormalisation[] = ['NONE', 'BASE', 'MERGE_SLASHES', 'DECODE_AND_MERGE_SLASHES']

/** Input, then what each mode makes of it (istio tests/integration/security/normalization_test.go). */
const table: readonly (readonly [input: string, none: string, base: string, merge: string, decode: string])[] = [
  ['/app/../admin', '/app/../admin', '/admin', '/admin', '/admin'],
  ['/app/%2E./admin', '/app/%2E./admin', '/admin', '/admin', '/admin'],
  ['/app//', '/app//', '/app//', '/app/', '/app/'],
  ['/app/%2f', '/app/%2f', '/app/%2f', '/app/%2f', '/app/'],
  ['/xyz%30..//abc', '/xyz%30..//abc', '/xyz0..//abc', '/xyz0../abc', '/xyz0../abc'],
  ['/app/\\/\\/\\admin', '/app/\\/\\/\\admin', '/app//////admin', '/app/admin', '/app/admin'],
  ['/%2Fapp%5cadmin%5Cabc', ...same('/%2Fapp%5cadmin%5Cabc'), '/app/admin/abc'],
  [
    '/%5Capp%2f%5c%2F%2e%2e%2fadmin%5c\\abc',
    '/%5Capp%2f%5c%2F%2e%2e%2fadmin%5c\\abc',
    '/%5Capp%2f%5c%2F..%2fadmin%5c/abc',
    '/%5Capp%2f%5c%2F..%2fadmin%5c/abc',
    '/app/admin/abc',
  ],
  ['/app//../admin', '/app//../admin', '/app/admin', '/app/admin', '/app/admin'],
  ['/app//../../admin', '/app//../../admin', '/admin', '/admin', '/admin'],
  ['/%c0%2fadmin', ...same('/%c0%2fadmin'), '/%c0/admin'],
  ['/..;/admin', ...same('/..;/admin'), '/..;/admin'],
  ['/admin;a=b', ...same('/admin;a=b'), '/admin;a=b'],
  ['/%252e%252e/admin', ...same('/%252e%252e/admin'), '/%252e%252e/admin'],
  ['/.../admin', ...same('/.../admin'), '/.../admin'],
  ['/%c0%ae%c0%ae/admin', ...same('/%c0%ae%c0%ae/admin'), '/%c0%ae%c0%ae/admin'],
  ['/ADMIN', ...same('/ADMIN'), '/ADMIN'],
  ['/', ...same('/'), '/'],
  ['/a/b/', ...same('/a/b/'), '/a/b/'],
  ['/a/.', '/a/.', '/a/', '/a/', '/a/'],
  ['/a/..', '/a/..', '/', '/', '/'],
  ['/../../a', '/../../a', '/a', '/a', '/a'],
  ['/a/./b/.', '/a/./b/.', '/a/b/', '/a/b/', '/a/b/'],
  ['/.well-known/x', ...same('/.well-known/x'), '/.well-known/x'],
  ['/a b"<>^`{|}', '/a b"<>^`{|}', ...same('/a%20b%22%3C%3E%5E%60%7B%7C%7D')],
  ['/a%zz%2', ...same('/a%zz%2'), '/a%zz%2'],
  ['/%%32%65%%32%65/x', '/%%32%65%%32%65/x', ...same('/%252e%252e/x')],
]

function same(text: string): [string, string, string] {
  return [text, text, text]
}

test.each(table)('%s is normalised as each mode says', (input, none, base, merge, decode) => {
  expect(modes.map((mode) => normalisePath(input, mode))).toEqual([none, base, merge, decode])
})

describe.each(modes.slice(1))('in mode %s', (mode) => {
  test('%00 and a path without a leading slash are refused', () => {
    expect(normalisePath('/admin%00', mode)).toBeUndefined()
    expect(normalisePath('/admin\u0000', mode)).toBeUndefined()
    expect(normalisePath('*', mode)).toBeUndefined()
  })

  test('of all bytes only those that need no encoding are decoded', () => {
    for (let byte = 1; byte < 256; byte += 1) {
      const escaped = `%${byte.toString(16).padStart(2, '0')}`
      const character = String.fromCharCode(byte)
      const isSlash = mode === 'DECODE_AND_MERGE_SLASHES' && (character === '/' || character === '\\')
      const expected = /[A-Za-z0-9._~-]/.test(character) ? character : isSlash ? '/' : escaped
      expect(normalisePath(`/admin${escaped}`, mode)).toBe(`/admin${expected}`)
    }
  })

  test('normalising twice changes nothing', () => {
    const piece = fc.constantFrom(
      '/',
      '.',
      '..',
      '%',
      '%2',
      '%2e',
      '%2E',
      '%2f',
      '%5c',
      '%25',
      '%32',
      '%65',
      '\\',
      'a',
      ';',
      ' ',
      'é',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
        const once = normalisePath(`/${pieces.join('')}`, mode)
        expect(once === undefined ? undefined : normalisePath(once, mode)).toBe(once)
      }),
      { numRuns: 2000 },
    )
  })

  test('no dot segment is left', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('..', '.', '%2e', '%2E.', 'a', ''), { maxLength: 10 }), (segments) => {
        const path = normalisePath(`/${segments.join('/')}`, mode)
        expect(path?.split('/').some((segment) => segment === '.' || segment === '..')).toBe(false)
      }),
    )
  })
})
