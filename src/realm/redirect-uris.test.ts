import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Client } from './model.ts'
import { isRegisteredLogoutRedirect, isRegisteredRedirect, resolveRedirect } from './redirect-uris.ts'
import { clientSchema } from './representation.ts'

function client(redirectUris: string[], more: { rootUrl?: string; attributes?: Record<string, string> } = {}): Client {
  const parsed = clientSchema.parse({ clientId: 'app', redirectUris, ...more })
  return { ...parsed, id: 'row', defaultClientScopes: [], optionalClientScopes: [] }
}

const exact = 'http://localhost:9999/callback'

test.each([
  'http://localhost:9999/callback/',
  'http://localhost:9999/callback?x=1',
  'http://localhost:9999/callback#f',
  'HTTP://LOCALHOST:9999/callback',
  'http://localhost:9999/Callback',
  'http://localhost:9999/x/../callback',
  'http://localhost:9999/%63allback',
  'http://localhost:9999/callback/more',
  'http://127.0.0.1:9999/callback',
  'https://localhost:9999/callback',
  '',
])('%j is not the registered exact URI', (uri) => {
  expect(isRegisteredRedirect(uri, client([exact]))).toBe(false)
})

test.each<[string, string, boolean]>([
  ['http://localhost:9998/*', 'http://localhost:9998', true],
  ['http://localhost:9998/*', 'http://localhost:9998/', true],
  ['http://localhost:9998/*', 'http://localhost:9998/a/b', true],
  ['http://localhost:9998/*', 'http://localhost:9998?x=1', true],
  ['http://localhost:9998/*', 'http://localhost:9998?x=1#f', true],
  ['http://localhost:9998/*', 'http://localhost:99980/evil', false],
  ['http://localhost:9998/*', 'http://localhost:9998x/evil', false],
  ['http://localhost:9998/*', 'http://localhost:9998@evil.example/', false],
  ['http://localhost:9994/cb*', 'http://localhost:9994/cbx', true],
  ['http://localhost:9994/cb*', 'http://localhost:9994/cb/y', true],
  ['http://localhost:9994/cb*', 'http://localhost:9994/', false],
  ['http://localhost:9993/cb?a=*', 'http://localhost:9993/cb?a=*', true],
  ['http://localhost:9993/cb?a=*', 'http://localhost:9993/cb?a=1', false],
  ['http://localhost:9992/*/cb', 'http://localhost:9992/x/cb', false],
  ['https://app.example.com*', 'https://app.example.com.evil.example/', false],
  ['https://app.example.com*', 'https://app.example.com/x', true],
  ['https://*', 'https://anything.example/x', true],
  ['*', 'https://anything.example/x', true],
  ['*', 'http://anything.example', true],
  ['*', 'myapp://callback', false],
  ['*', 'javascript:alert(1)', false],
  ['myapp://callback', 'myapp://callback', true],
  ['com.example.app:/cb', 'com.example.app:/cb', true],
  ['javascript:*', 'javascript:alert(1)', false],
  ['http://127.0.0.1/cb', 'http://127.0.0.1:51234/cb', true],
  ['http://127.0.0.1/cb', 'http://127.0.0.1:51234/other', false],
  ['http://[::1]/cb', 'http://[::1]:51234/cb', true],
  ['http://localhost/cb', 'http://localhost:3000/cb', true],
  ['http://localhost/cb', 'http://localhost.evil.example/cb', false],
  ['http://localhost:8080/cb', 'http://localhost:3000/cb', false],
  ['https://app.example.com/cb', 'https://app.example.com:8443/cb', false],
])('registered %j, asked for %j: %j', (registered, uri, expected) => {
  expect(isRegisteredRedirect(uri, client([registered]))).toBe(expected)
})

test('an entry without host is taken from the root URL, and is nothing without one', () => {
  const rooted = client(['/cb/*'], { rootUrl: 'https://app.example.com/' })
  expect(isRegisteredRedirect('https://app.example.com/cb/x', rooted)).toBe(true)
  expect(isRegisteredRedirect('https://evil.example/cb/x', rooted)).toBe(false)
  expect(isRegisteredRedirect('https://app.example.com/cb/x', client(['/cb/*']))).toBe(false)
  expect(isRegisteredRedirect('/cb/x', client(['/cb/*']))).toBe(false)
})

test('without a redirect URI the only exact one is taken', () => {
  expect(resolveRedirect(undefined, client([exact]))).toBe(exact)
  expect(resolveRedirect(undefined, client([exact, 'https://b.example/']))).toBeUndefined()
  expect(resolveRedirect(undefined, client(['https://b.example/*']))).toBeUndefined()
  expect(resolveRedirect(undefined, client([]))).toBeUndefined()
})

/** Ways out of `https://app.example.com/cb/` that some parser, somewhere, takes. */
const corpus = [
  'https://app.example.com/cb/../admin',
  'https://app.example.com/cb/%2e%2e/admin',
  'https://app.example.com/cb/.%2E/admin',
  'https://app.example.com/cb/..%2fadmin',
  'https://app.example.com/cb/%2e%2e%5cadmin',
  'https://app.example.com/cb/%252e%252e/admin',
  'https://app.example.com/cb/..',
  'https://app.example.com/cb/..?x',
  'https://app.example.com\\@evil.example/cb/',
  'https://app.example.com/cb/\\..\\admin',
  'https://user@app.example.com/cb/',
  'https://app.example.com:443@evil.example/cb/',
  'https://evil.example/https://app.example.com/cb/',
  'https://evil.example?https://app.example.com/cb/',
  'https://evil.example#https://app.example.com/cb/',
  'https://app.example.com.evil.example/cb/',
  'https://app.example.comevil.example/cb/',
  'https://app。example.com/cb/',
  'https://аpp.example.com/cb/',
  '//app.example.com/cb/',
  'https:app.example.com/cb/',
  'https:///app.example.com/cb/',
  'http://app.example.com/cb/',
  ' https://app.example.com/cb/',
  'https://app.example.com/cb/\t',
  'https://app.example.com/cb/\r\nSet-Cookie: a=b',
  'https://app.example.com/cb/\u0000',
  'https://app.example.com/cb/?code=stolen',
  'https://app.example.com/cb/?x=1&state=s',
  'https://app.example.com/cb/?error=no',
  'https://app.example.com/cb/?iss=https://evil.example',
  'javascript:alert(1)//https://app.example.com/cb/',
  'data:text/html,<script>alert(1)</script>',
  'vbscript:x',
]

test.each(corpus)('%j is no way out of a prefix', (uri) => {
  expect(isRegisteredRedirect(uri, client(['https://app.example.com/cb/*']))).toBe(false)
})

test('whatever is accepted under a prefix stays on its host and below its path', () => {
  const registered = client(['https://app.example.com/cb/*'])
  const piece = fc.oneof(
    fc.constantFrom(
      '..',
      '.',
      '%2e',
      '%2E',
      '%2f',
      '%5c',
      '\\',
      '/',
      '//',
      '@',
      '?',
      '#',
      ':',
      ';',
      '*',
      '%00',
      'evil.example',
      'cb',
    ),
    fc.string({ maxLength: 4 }),
  )
  const start = fc.constantFrom(
    'https://app.example.com/cb/',
    'https://app.example.com',
    'https://app.example.com/',
    'https://',
  )
  fc.assert(
    fc.property(start, fc.array(piece, { maxLength: 8 }), (head, pieces) => {
      const uri = head + pieces.join('')
      if (!isRegisteredRedirect(uri, registered)) return
      const { origin, pathname, username } = new URL(uri)
      expect([origin, username, `${pathname}/`.startsWith('/cb/')]).toEqual(['https://app.example.com', '', true])
    }),
    { numRuns: 5000 },
  )
})

test.each<[string | undefined, string, boolean]>([
  [undefined, exact, true],
  ['', exact, true],
  ['+', exact, true],
  ['+', 'http://localhost:9999/callback/x', false],
  ['-', exact, false],
  ['-', '-', false],
  ['https://a.example/cb*##https://a.example/exact', 'https://a.example/cbx?y', true],
  ['https://a.example/cb*##https://a.example/exact', 'https://a.example/exact', true],
  ['https://a.example/cb*##https://a.example/exact', exact, false],
  ['+##https://a.example/exact', exact, true],
])('post.logout.redirect.uris %j lets a logout end at %j: %j', (attribute, uri, expected) => {
  const attributes: Record<string, string> = attribute === undefined ? {} : { 'post.logout.redirect.uris': attribute }
  expect(isRegisteredLogoutRedirect(uri, client([exact], { attributes }))).toBe(expected)
})
