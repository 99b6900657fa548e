import { expect, test } from 'vitest'
import { parseSignatureKey } from './signature-key.ts'

test('a key is an algorithm and a secret, or nothing', () => {
  expect(parseSignatureKey('sha256:between us')).toEqual({ algorithm: 'sha256', secret: 'between us' })
  expect(parseSignatureKey('')).toBeUndefined()
})

test('what is wrong with a key is told without it', () => {
  for (const text of ['secret', 'sha256:secret:word', 'SHA256:secret', 'md4:secret', ':secret', 'sha512_256:secret']) {
    const parsed = parseSignatureKey(text)
    expect(parsed, text).toHaveProperty('problem')
    expect(JSON.stringify(parsed), text).not.toContain('secret')
  }
})
