import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isRedirectUriAllowed } from './redirect-uris.ts'

const cli = { public: true, redirectURIs: [] }

test.each([
  'urn:ietf:wg:oauth:2.0:oob',
  'http://localhost',
  'http://localhost/',
  'http://localhost:8085/auth/callback?x=1',
  'http://127.0.0.1:0/x',
  'http://127.8.9.10:65535/x',
  'http://[::1]:8000/callback',
])('a public client without a list may use %s', (uri) => {
  expect(isRedirectUriAllowed(cli, uri)).toBe(true)
  expect(isRedirectUriAllowed({ ...cli, public: false }, uri)).toBe(false)
  expect(isRedirectUriAllowed({ ...cli, redirectURIs: ['https://app.example.com/'] }, uri)).toBe(false)
})

test.each([
  '',
  'http://',
  'https://localhost/x',
  'http://localhost.evil.example.com/',
  'http://localhost@evil.example.com/',
  'http://localhost:80@evil.example.com/',
  'http://user@localhost/',
  'http://evil.example.com/#@localhost/',
  'http://evil.example.com/?http://localhost',
  'http://evil.example.com\\@localhost/',
  'http://localhost\\@evil.example.com/',
  'http://localhost\t.evil.example.com/',
  'http:\t//localhost/',
  'http:/localhost/',
  'http:localhost',
  '//localhost/',
  'HTTP://localhost/',
  'http://LOCALHOST/',
  'http://127.0.0.1.evil.example.com/',
  'http://127.0.0.256/',
  'http://127.0.0/',
  'http://2130706433/',
  'http://0177.0.0.1/',
  'http://0.0.0.0/',
  'http://[::ffff:127.0.0.1]/',
  'http://localhost:999999/',
  'http://localhost:x/',
  'http://ⓛocalhost/',
  'http://localhost。evil.example.com/',
  'urn:ietf:wg:oauth:2.0:oob:auto',
  'javascript:alert(1)',
  '/oauth2/callback',
])('a public client without a list may not use %j', (uri) => {
  expect(isRedirectUriAllowed(cli, uri)).toBe(false)
})

test('whatever is allowed as loopback leads to this machine for a browser too', () => {
  const part = fc.constantFrom(
    'http:',
    'https:',
    '//',
    '/',
    '\\',
    '@',
    ':',
    '.',
    '#',
    '?',
    'localhost',
    '127.0.0.1',
    '[::1]',
    'evil.example',
    '80',
    '\t',
    '%40',
  )
  fc.assert(
    fc.property(fc.array(part, { maxLength: 9 }), (parts) => {
      const uri = parts.join('')
      if (!isRedirectUriAllowed(cli, uri)) return
      expect(['localhost', '127.0.0.1', '[::1]']).toContain(new URL(uri).hostname)
    }),
    { numRuns: 5000 },
  )
})

test('a registered text is compared as it is: nothing in it is a pattern', () => {
  const client = { public: false, redirectURIs: ['https://app.example.com/*', 'https://a.example.com/cb'] }
  expect(isRedirectUriAllowed(client, 'https://app.example.com/*')).toBe(true)
  expect(isRedirectUriAllowed(client, 'https://app.example.com/x')).toBe(false)
  expect(isRedirectUriAllowed(client, 'https://aXexample.com/cb')).toBe(false)
  fc.assert(
    fc.property(fc.string(), (uri) => {
      expect(isRedirectUriAllowed(client, uri)).toBe(client.redirectURIs.includes(uri))
    }),
  )
})
