import { expect, test } from 'vitest'
import { keyDescriptions } from './key-descriptions.ts'
import { proxyKeyNames } from './keys.ts'

test('every key says what it is for, in a sentence of at most 90 characters', () => {
  expect(Object.keys(keyDescriptions)).toEqual(proxyKeyNames)
  for (const [key, text] of Object.entries(keyDescriptions)) {
    expect(text, key).toMatch(/^\S.{10,88}[^.\s]$/)
  }
})

test('no two keys say the same', () => {
  const texts = Object.values(keyDescriptions)
  expect(new Set(texts).size).toBe(texts.length)
})
