import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  clearSessionCookies,
  eachSessionText,
  firstSessionText,
  isSessionCookie,
  sessionTexts,
  storeSessionCookies,
} from './session-cookies.ts'

const attributes = { path: '/', maxAgeSeconds: 86_400, httpOnly: true, secure: true, sameSite: 'Lax' } as const

test('a session that fits is one cookie, attributes in the order of Go', () => {
  expect(storeSessionCookies('kf', 'abc', { attributes, cookieHeader: undefined })).toEqual([
    'kf=abc; Path=/; Max-Age=86400; HttpOnly; Secure; SameSite=Lax',
  ])
})

test('a longer one is cut into numbered cookies of at most 4000 bytes each, and found again', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20_000 }), (length) => {
      const value = 'abcdefghij'.repeat(2000).slice(0, length)
      const lines = storeSessionCookies('kf', value, { attributes, cookieHeader: undefined })
      expect(lines.every((line) => line.length <= 4000)).toBe(true)
      expect(lines.length === 1 || lines[0]?.startsWith('kf_0=')).toBe(true)
      const header = lines
        .map((line) => line.split(';')[0])
        .toReversed()
        .join('; ')
      expect(sessionTexts(header, 'kf')).toEqual([value])
      expect(firstSessionText(header, 'kf')).toBe(value)
    }),
  )
})

test('storing one shape deletes what the other has left, so nothing stale hides the new session', () => {
  const cookieHeader = 'kf=old; kf_0=a; kf_1=b; kf_2=c; kf_abcdefgh_csrf=x; other=y'
  expect(storeSessionCookies('kf', 'new', { attributes: {}, cookieHeader })).toEqual([
    'kf=new',
    'kf_0=; Max-Age=0',
    'kf_1=; Max-Age=0',
    'kf_2=; Max-Age=0',
  ])
  const [first, second, ...cleared] = storeSessionCookies('kf', 'x'.repeat(5000), { attributes: {}, cookieHeader })
  expect([first?.slice(0, 5), second?.slice(0, 5)]).toEqual(['kf_0=', 'kf_1='])
  expect(cleared).toEqual(['kf=; Max-Age=0', 'kf_2=; Max-Age=0'])
})

test('clearing emits one deletion for each part and ignores other names', () => {
  const cookieHeader = 'kf_0=a; kf_1=b; kf=; kfx=1; xkf=2; kf_a=3; kf_0_=4'
  expect(clearSessionCookies('kf', { attributes: { path: '/' }, cookieHeader })).toEqual([
    'kf_0=; Path=/; Max-Age=0',
    'kf_1=; Path=/; Max-Age=0',
    'kf=; Path=/; Max-Age=0',
  ])
  expect(clearSessionCookies('kf', { attributes: {}, cookieHeader: undefined })).toEqual([])
})

test('every cookie of the name is a candidate, then the parts up to the first gap', () => {
  expect(sessionTexts('kf=planted; kf=mine; kf_0=a; kf_1=b; kf_3=d', 'kf')).toEqual(['planted', 'mine', 'ab'])
  expect(sessionTexts('kf_1=b', 'kf')).toEqual([])
  expect(sessionTexts(undefined, 'kf')).toEqual([])
})

test('the quick reading agrees with the thorough one about the first candidate', () => {
  const name = fc.constantFrom('kf', 'kf_0', 'kf_1', 'kf_2', 'xkf', 'kf_csrf', 'k', 'f')
  const pair = fc.tuple(name, fc.stringMatching(/^[A-Za-z0-9=|_-]{0,5}$/)).map(([key, value]) => `${key}=${value}`)
  fc.assert(
    fc.property(fc.array(pair, { maxLength: 6 }), (pairs) => {
      const header = pairs.join('; ')
      expect(firstSessionText(header, 'kf')).toBe(sessionTexts(header, 'kf')[0])
      expect([...eachSessionText(header, 'kf')]).toEqual(sessionTexts(header, 'kf'))
    }),
    { numRuns: 1000 },
  )
})

test('a session cookie is told from a login cookie and from those of others', () => {
  expect(['kf', 'kf_0', 'kf_12'].every((name) => isSessionCookie(name, 'kf'))).toBe(true)
  expect(['kf_', 'kf_csrf', 'kf_abcdefgh_csrf', 'kf0', 'x', 'kf_0x'].some((name) => isSessionCookie(name, 'kf'))).toBe(
    false,
  )
})

test('a header that is asked again, by another name or after another header, is read anew', () => {
  const first = 'kf=one; other=two'
  expect([firstSessionText(first, 'kf'), firstSessionText(first, 'other')]).toEqual(['one', 'two'])
  expect([firstSessionText('kf=three; x=y', 'kf'), firstSessionText(first, 'kf')]).toEqual(['three', 'one'])
  expect([firstSessionText('', 'kf'), firstSessionText('', ''), firstSessionText('kf_1=b', 'kf')]).toEqual([
    undefined,
    undefined,
    undefined,
  ])
})
