import { expect, test } from 'vitest'
import { compileApiRoutes, compileSkipRoutes, parseRouteRule } from './routes.ts'

const skips = (rules: readonly string[], method: string, path: string) => compileSkipRoutes(rules, [])(method, path)

test('a rule is a regex, or a method and a regex, possibly negated', () => {
  expect(parseRouteRule('^/a')).toEqual({ method: '', negated: false, regex: '^/a' })
  expect(parseRouteRule('get=^/a')).toEqual({ method: 'GET', negated: false, regex: '^/a' })
  expect(parseRouteRule('!=^/api')).toEqual({ method: '', negated: true, regex: '^/api' })
  expect(parseRouteRule('GET!=^/api')).toEqual({ method: 'GET', negated: true, regex: '^/api' })
  expect(parseRouteRule('^/a?b=c')).toEqual({ method: '', negated: false, regex: '^/a?b=c' })
})

test('method and negation decide together', () => {
  expect(skips(['GET=^/a'], 'GET', '/a')).toBe(true)
  expect(skips(['GET=^/a'], 'PATCH', '/a')).toBe(false)
  expect(skips(['!=^/api'], 'GET', '/api/x')).toBe(false)
  expect(skips(['!=^/api'], 'GET', '/static/x')).toBe(true)
  expect(skips(['GET!=^/api'], 'POST', '/static/x')).toBe(false)
  expect(compileSkipRoutes([], ['^/old'])('GET', '/old/x')).toBe(true)
  expect(skips([], 'GET', '/')).toBe(false)
})

test('neither query nor fragment can make a path match (CVE-2025-54576)', () => {
  expect(skips(['^/api/.*/status'], 'GET', '/api/private?p=/status')).toBe(false)
  expect(skips(['^/api/.*/status'], 'GET', '/api/a/status?x=1')).toBe(true)
  for (const path of ['/foo/secret#/bar', '/foo/secret%23/bar', '/foo/secret%3f/bar', '/foo/secret%3F/bar']) {
    expect(skips(['^/foo/.*/bar$'], 'GET', path), path).toBe(false)
  }
})

test('a rule is judged on the path an upstream would resolve', () => {
  const escapes = [
    '/public/../admin',
    '/public/%2e%2e/admin',
    '/public/%2E./admin',
    '/public/..%2fadmin',
    '/public/..%2Fadmin',
    '/public/..%5cadmin',
    '/public/..\\admin',
    '/public//../admin',
    '/public/./../admin',
    '/public/x/../../admin',
    '/public/%252e%252e/admin',
    '/public/..;/admin',
    '/public/..;x=y/admin',
    '/public/%00/../admin',
    '/public/%',
    '/public/%c0%ae%c0%ae/admin',
    '/public/ /../admin',
  ]
  for (const path of escapes) expect(skips(['^/public/'], 'GET', path), path).toBe(false)
  for (const path of ['/public/', '/public/a.css', '/public/a%20b', '/public/x/../y', '/public/ä', '/public/a;v=1']) {
    expect(skips(['^/public/'], 'GET', path), path).toBe(true)
  }
})

test('a path that only looks right after resolving is not skipped either', () => {
  expect(skips(['^/public/'], 'GET', '/admin/../public/x')).toBe(false)
  expect(skips(['!=^/admin'], 'GET', '/x/../admin')).toBe(false)
})

test('a regex that would explode by backtracking answers at once', () => {
  expect(skips(['^/(a+)+$'], 'GET', `/${'a'.repeat(50_000)}!`)).toBe(false)
})

test('API routes are judged on the URI with its query', () => {
  const isApi = compileApiRoutes(['/api/', '^/ml_metadata'])
  expect(isApi('/pipeline/api/v1')).toBe(true)
  expect(isApi('/ml_metadata')).toBe(true)
  expect(isApi('/x?next=/api/')).toBe(true)
  expect(isApi('/x/ml_metadata')).toBe(false)
})
