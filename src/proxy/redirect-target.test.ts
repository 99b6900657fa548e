import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { CheckRequest } from './check.ts'
import { compileRedirectRule, locationOf, redirectTarget } from './redirect-target.ts'

const isLocal = compileRedirectRule([])

test('a path with any query is a target, also one whose query holds a URL', () => {
  for (const target of ['/', '/a', '/a/b?c=d', '/pipeline/#/runs', '/x?next=https://a.example//b', '/a b', '/ä?q=ö']) {
    expect(isLocal(target), target).toBe(true)
  }
})

test('a target a browser would read as another site is refused', () => {
  const evil = [
    '',
    '//evil.com',
    '///evil.com',
    '/\\evil.com',
    '\\/evil.com',
    '\\\\evil.com',
    '/\t/evil.com',
    '/\n/evil.com',
    '/\r\\evil.com',
    '/ /evil.com',
    '/\v/evil.com',
    '/\f/evil.com',
    '/\u00a0/evil.com',
    '/\u2003/evil.com',
    '/./\\evil.com',
    '/../\\evil.com',
    '/.//evil.com',
    '/..//evil.com',
    '/./evil.com/',
    '/../evil.com/',
    '/a//evil.com',
    '/a/../../evil.com',
    'evil.com',
    'javascript:alert(1)',
    'data:text/html,x',
    'http:evil.com',
    'http:/evil.com',
    'https:///evil.com',
    'HTTPS://evil.com',
    ' https://evil.com',
    '?x=//evil.com',
    '#//evil.com',
    `/${'a'.repeat(5000)}`,
  ]
  for (const target of evil) expect(isLocal(target), JSON.stringify(target)).toBe(false)
})

test('whatever passes leads a browser to this very origin', () => {
  const piece = fc.constantFrom(
    '/',
    '\\',
    '.',
    '..',
    '//',
    '\t',
    '\n',
    ' ',
    '@',
    ':',
    'evil.com',
    'https:',
    '?',
    '#',
    '%2f',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const target = `/${pieces.join('')}`
      if (isLocal(target))
        expect(new URL(target, 'https://kubeflow.example.com').origin).toBe('https://kubeflow.example.com')
    }),
    { numRuns: 3000 },
  )
})

test('absolute targets are limited to the whitelisted domains and ports', () => {
  const isValid = compileRedirectRule(['foo.bar', '.sub.bar', '*.wild.bar', 'port.bar:8080', 'any.bar:*', '*', '.'])
  const good = [
    'https://foo.bar/',
    'http://foo.bar',
    'https://foo.bar?x=1',
    'https://foo.bar/a?x=//y',
    'https://sub.bar/',
    'https://a.b.sub.bar/',
    'https://wild.bar/',
    'https://a.wild.bar/x#y',
    'https://port.bar:8080/',
    'https://any.bar/',
    'https://any.bar:8443/',
  ]
  const bad = [
    'https://badfoo.bar/',
    'https://badsub.bar/',
    'https://foo.bar.evil.com/',
    'https://a.foo.bar/',
    'https://foo.bar:8443/',
    'https://port.bar/',
    'https://port.bar:8081/',
    'https://evil.com/',
    'ftp://foo.bar/',
    'https://evil.com./',
    'https://foo.bar\\@evil.com',
    'https://foo.bar\\.evil.com',
    'https://foo.bar@evil.com',
    'https://foo.bar:pw@evil.com',
    'https://evil.com#@foo.bar',
    'https://foo.bar\t.evil.com',
    'https://foo\n.bar/',
    'https://foo.bar:/',
    'https://foo.bar:80x/',
    'https://foo.bar%2f.evil.com/',
    'https://[::1]/',
    'https://2130706433/',
    'https://fоo.bar/',
  ]
  for (const target of good) expect(isValid(target), target).toBe(true)
  for (const target of bad) expect(isValid(target), target).toBe(false)
})

test('a Location holds nothing but visible ASCII', () => {
  expect(locationOf('/a b/ä?q=%20')).toBe('/a%20b/%C3%A4?q=%20')
  expect(locationOf('/\ud800')).toBe('/%EF%BF%BD')
})

const request = (path: string, headers: Record<string, string> = {}): CheckRequest => ({
  ...{ method: 'GET', path, host: 'app.example.com', headers, clientAddress: '10.0.0.1', requestId: 'r' },
})
const isValid = compileRedirectRule(['.example.com'])
const choose = (path: string, { rd = null as string | null, headers = {}, isTrustedProxy = false } = {}) =>
  redirectTarget(request(path, headers), { rd, isValid, prefix: '/oauth2', isTrustedProxy })

test('the target is rd, else the header, else the request; an invalid one gives way to the next', () => {
  expect(choose('/oauth2/start', { rd: '/a' })).toBe('/a')
  expect(choose('/x', { rd: '//evil', headers: { 'x-auth-request-redirect': '/b' } })).toBe('/b')
  expect(choose('/x', { headers: { 'x-auth-request-redirect': 'https://evil.com' } })).toBe('/x')
  expect(choose('/x?y=1')).toBe('/x?y=1')
  expect(choose('/a//b')).toBe('/')
})

test("the proxy's own paths are no target", () => {
  expect(choose('/oauth2/sign_in')).toBe('/')
  expect(choose('/oauth2/auth')).toBe('/')
  expect(choose('/', { rd: '/oauth2/sign_in' })).toBe('/')
  expect(choose('/oauth2')).toBe('/oauth2')
  expect(choose('/oauth2x')).toBe('/oauth2x')
})

test('forwarded headers count only from a trusted proxy, and only towards whitelisted domains', () => {
  const headers = { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'other.example.com', 'x-forwarded-uri': '/f?g' }
  expect(choose('/oauth2/auth', { headers })).toBe('/')
  expect(choose('/oauth2/auth', { headers, isTrustedProxy: true })).toBe('https://other.example.com/f?g')
  const evil = { ...headers, 'x-forwarded-host': 'evil.com' }
  expect(choose('/oauth2/auth', { headers: evil, isTrustedProxy: true })).toBe('/f?g')
})
