import fc from 'fast-check'
import { expect, test } from 'vitest'
import { systemRandom } from '../../kit/random.ts'
import { accessTokenIn, newAccessToken, parseAccessToken } from './token-text.ts'

test('a token is read as the ticket it was made of', () => {
  const { text, ticket } = newAccessToken(systemRandom)
  expect(text).toMatch(/^gha_[\w-]{43}$/)
  expect(parseAccessToken(text)).toEqual(ticket)
})

test('nothing but its one spelling is a token', () => {
  const { text } = newAccessToken(systemRandom)
  for (const other of [text.slice(0, -1), `${text}A`, `${text}=`, text.replace('gha_', ''), text.toUpperCase(), '']) {
    expect(parseAccessToken(other), other).toBeUndefined()
  }
  fc.assert(fc.property(fc.string(), (any) => parseAccessToken(`gha_${any}`) === undefined))
})

test('a token is found as a bearer, as a password, and as the session cookie', () => {
  const { text } = newAccessToken(systemRandom)
  const found = (authorization?: string, cookie?: string) => accessTokenIn({ authorization, cookie }, 'session')
  const basic = (pair: string) => `Basic ${Buffer.from(pair).toString('base64')}`
  for (const authorization of [`Bearer ${text}`, `bearer ${text}`, basic(`ada:${text}`), basic(`:${text}`)]) {
    expect(found(authorization), authorization).toBe(text)
  }
  expect(found(undefined, `a=1; session=${text}; b=2`)).toBe(text)
  expect(found('token of-jupyter', `session=${text}`)).toBe(text)
  for (const authorization of ['Bearer eyJ.eyJ.x', `Token ${text}`, basic(`${text}:`), 'Bearer']) {
    expect(found(authorization), authorization).toBeUndefined()
  }
  expect(found(undefined, `other_session=${text}`)).toBeUndefined()
})
