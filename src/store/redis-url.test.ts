import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseRedisUrl } from './redis-url.ts'

test.each([
  ['redis://cache', { host: 'cache', port: 6379, isTls: false, database: 0 }],
  ['redis://cache:6380/3', { host: 'cache', port: 6380, isTls: false, database: 3 }],
  [
    'rediss://u:p%40ss@cache.example.com/',
    { host: 'cache.example.com', port: 6379, isTls: true, username: 'u', password: 'p@ss', database: 0 },
  ],
  ['redis://:secret@[fd00::1]:7000', { host: 'fd00::1', port: 7000, isTls: false, password: 'secret', database: 0 }],
  [
    'unix:///run/redis%20main.sock?db=2',
    { path: '/run/redis main.sock', host: 'localhost', port: 6379, isTls: false, database: 2 },
  ],
])('%s', (url, address) => {
  expect(parseRedisUrl(url)).toEqual(address)
})

test.each(['', 'cache:6379', 'http://cache', 'redis://cache/one', 'redis://cache/99999'])(
  '`%s` is no address',
  (url) => {
    expect(() => parseRedisUrl(url)).toThrow(expect.objectContaining({ code: 'config' }))
  },
)

test('the error of any text does not repeat it: it may hold a password', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z]{8,20}$/), (password) => {
      expect(() => parseRedisUrl(`redis://user:${password}@cache/x`)).toThrow(
        expect.not.objectContaining({ message: expect.stringContaining(password) }),
      )
    }),
  )
})
