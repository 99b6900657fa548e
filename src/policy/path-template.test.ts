import { expect, test } from 'vitest'
import { compilePathTemplate, pathTemplateMistake } from './path-template.ts'

const templates = ['/allow/admin/{**}', '/foo/{*}/bar/{**}', '/store/{**}/cart']
const matchesAny = (path: string) => templates.some((template) => compilePathTemplate(template)(path))

test.each([
  '/allow/admin/',
  '/allow/admin/temp.txt',
  '/foo/buzz/bar/bat/fuzz.txt',
  '/store//cart',
  '/store/foo/bar/cart',
  '/store/a*b/cart',
])('%s matches', (path) => {
  expect(matchesAny(path)).toBe(true)
})

test.each(['/allow/admin', '/allow', '/foo/bar/bat.txt', '/foo//bar/bat.txt', '/store/cart', '/store/a"b/cart'])(
  '%s does not match',
  (path) => {
    expect(matchesAny(path)).toBe(false)
  },
)

test('a star segment is one segment that is not empty', () => {
  const matches = compilePathTemplate('/a/{*}/b/{*}')
  expect(['/a/x/b/y', '/a/x/b/', '/a//b/y', '/a/x/y/b/z', '/a/x/b/y/z', '/a/x/b'].map(matches)).toEqual([
    true,
    false,
    false,
    false,
    false,
    false,
  ])
})

test('a double star takes no more than what the rest leaves', () => {
  const matches = compilePathTemplate('/{**}/x/x')
  expect(['//x/x', '/x/x', '/a/x/x', '/x/x/x', '/a/b/c/x/x'].map(matches)).toEqual([true, false, true, true, true])
})

test.each([
  ['/a/{**}/{*}', 'must be the last operator'],
  ['/a/{**}/b/{**}', 'must be the last operator'],
  ['/a/{name}/{*}', 'brace outside'],
  ['/a/x{*}', 'brace outside'],
  ['/a/*/{*}', 'no literal path segment'],
  ['/a//{*}', 'no literal path segment'],
  ['a/{*}', 'must start with'],
])('%s is refused', (template, reason) => {
  expect(pathTemplateMistake(template)).toContain(reason)
})

test('a long hostile path is judged in linear time', () => {
  const matches = compilePathTemplate('/a/{*}/b/{*}/c/{**}/d')
  expect(matches(`/a/${'x/b/'.repeat(200_000)}`)).toBe(false)
  expect(compilePathTemplate('/{**}/aaaaab')(`/${'a'.repeat(500_000)}`)).toBe(false)
})
