import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isInScope, parsePathScope } from './path-scope.ts'

test('a path stands for itself and what is below it', () => {
  const scope = ['/pipeline', '/notebook/ada']
  for (const path of [
    '/pipeline',
    '/pipeline/',
    '/pipeline/apis/v2?x=1',
    '/notebook/ada/one',
    '/pipeline?y',
    '/pipeline/a%20b;v=1/..x/ü',
  ]) {
    expect(isInScope(scope, path), path).toBe(true)
  }
  for (const path of ['/', '/pipelines', '/notebook', '/notebook/adam', '/x?/pipeline/', '/x#/pipeline/']) {
    expect(isInScope(scope, path), path).toBe(false)
  }
})

test('a path that may be read in two ways is in no scope but everything', () => {
  const twofold = [
    '/../x',
    '/%2e%2e/x',
    '/..%2Fx',
    '/.%2e/x',
    '\\..\\x',
    '/..%5cx',
    '//x',
    '/..;/x',
    '/..;a=b/x',
    '/%2e.;/x',
  ]
  const misread = [
    '/..%3b/x',
    '/%252e%252e/x',
    '/%c0%ae%c0%ae/x',
    '/%e0%80%ae./x',
    '/%2',
    '/a%00',
    '/a%0d%0a',
    '/a%3f',
    '/a%23',
  ]
  for (const path of [...twofold, ...misread].map((rest) => `/pipeline${rest}`)) {
    expect(isInScope(['/pipeline'], path), path).toBe(false)
    expect(isInScope(['/'], path), path).toBe(true)
  }
})

test('paths are written with or without a slash or a star at the end', () => {
  expect(parsePathScope(['/pipeline/', '/pipeline', ' /katib/* ', '/a/**'])).toEqual({
    paths: ['/pipeline', '/katib', '/a'],
  })
  expect(parsePathScope([])).toEqual({ paths: ['/'] })
  expect(parsePathScope(['/'])).toEqual({ paths: ['/'] })
  for (const text of ['pipeline', 'https://a/b', '/a/../b', '/a b', '/a?b', '/*/x', '/a//b']) {
    expect(parsePathScope([text]), text).toHaveProperty('problem')
  }
})

test('what is accepted as a scope holds itself, and nothing beside it', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^(\/[a-z0-9-]{1,8}){1,4}$/), fc.stringMatching(/^[a-z0-9]{1,5}$/), (path, more) => {
      const parsed = parsePathScope([path])
      if ('problem' in parsed) throw new Error(parsed.problem)
      expect(isInScope(parsed.paths, `${path}/${more}`)).toBe(true)
      expect(isInScope(parsed.paths, path + more)).toBe(false)
    }),
  )
})
