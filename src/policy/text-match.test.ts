import { expect, test } from 'vitest'
import { compileTexts } from './text-match.ts'

test.each([
  ['/a', ['/a'], ['/a/', '/A', '']],
  ['/a/*', ['/a/', '/a/b'], ['/a', '/A/b']],
  ['*/healthz', ['/healthz', '/x/healthz'], ['/healthz/']],
  ['*', ['x', '/'], ['', 'a\nb']],
  ['/dex/**', ['/dex/*', '/dex/*x'], ['/dex/', '/dex/a']],
  ['*,admin,*', ['x,admin,*'], ['x,admin,y', ',admin,']],
  ['**', ['*', 'a*'], ['a']],
  ['/a*b', ['/a*b'], ['/axb']],
])('%s matches as Istio compiles it', (value, matching, missing) => {
  const matches = compileTexts([value])
  expect(matching.map(matches)).toEqual(matching.map(() => true))
  expect(missing.map(matches)).toEqual(missing.map(() => false))
})

test('a star for a header asks only that it is there', () => {
  const matches = compileTexts(['*'], { any: 'present' })
  expect([matches(''), matches('x'), matches(undefined)]).toEqual([true, true, false])
})

test('case is ignored only where asked', () => {
  expect(compileTexts(['*.Example.com'], { ignoreCase: true })('WWW.EXAMPLE.COM')).toBe(true)
  expect(compileTexts(['*.Example.com'])('WWW.EXAMPLE.COM')).toBe(false)
})

test('one matching value of a list is enough', () => {
  const matches = compileTexts(['a', 'b*', '*c'])
  expect(['a', 'bx', 'xc', 'x'].map(matches)).toEqual([true, true, true, false])
})
