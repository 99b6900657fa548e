import { expect, test } from 'vitest'
import { pageUnderOurName } from './one-name.ts'

const page = (host: string, url = '/echo/?a=%20b') => ({
  method: 'GET',
  url,
  headers: { host, accept: 'text/html,*/*' },
})

test.each(['127.0.0.1:8080', '[::1]:8080'])('a page asked for at %s is asked for again at localhost', (host) => {
  expect(pageUnderOurName(page(host), 'http://localhost:8080')).toBe('http://localhost:8080/echo/?a=%20b')
})

test('the port 80 goes without saying', () => {
  expect(pageUnderOurName(page('127.0.0.1'), 'http://localhost')).toBe('http://localhost/echo/?a=%20b')
})

test.each([
  ['our own name', page('localhost:8080'), 'http://localhost:8080'],
  ['another port, forwarded to us', page('127.0.0.1:9000'), 'http://localhost:8080'],
  ['a chain with another name', page('127.0.0.1:443'), 'https://kubeflow.example.com'],
  ['no path', page('127.0.0.1:8080', 'http://evil.example/'), 'http://localhost:8080'],
  ['no host', { method: 'GET', url: '/', headers: { accept: 'text/html' } }, 'http://localhost:8080'],
  ['a form', { ...page('127.0.0.1:8080'), method: 'POST' }, 'http://localhost:8080'],
  [
    'a script',
    { method: 'GET', url: '/', headers: { host: '127.0.0.1:8080', accept: '*/*' } },
    'http://localhost:8080',
  ],
])('%s is answered where it is', (_, request, publicUrl) => {
  expect(pageUnderOurName(request, publicUrl)).toBeUndefined()
})
