import { expect, test } from 'vitest'
import { compileEmailRule } from './email-rule.ts'

test('a domain lets in its addresses, in any case, and no lookalikes', () => {
  const isAllowed = compileEmailRule(['corp.com'])
  expect(isAllowed('a@corp.com')).toBe(true)
  expect(isAllowed('A@CORP.com')).toBe(true)
  for (const email of ['a@notcorp.com', 'a@sub.corp.com', 'a@corp.com.evil.org', 'corp.com', '@corp.com', 'a@', '']) {
    expect(isAllowed(email), email).toBe(false)
  }
})

test('a leading dot or `*.` lets in subdomains, too', () => {
  for (const rule of ['.corp.com', '*.corp.com']) {
    const isAllowed = compileEmailRule([rule])
    expect(isAllowed('a@corp.com')).toBe(true)
    expect(isAllowed('a@b.corp.com')).toBe(true)
    expect(isAllowed('a@badcorp.com')).toBe(false)
  }
})

test('an address with two @ is in no domain (CVE-2026-40574)', () => {
  for (const rule of ['corp.com', '.corp.com', '*.corp.com']) {
    expect(compileEmailRule([rule])('a@evil.com@corp.com'), rule).toBe(false)
  }
})

test('`*` lets in everyone, an empty list nobody', () => {
  expect(compileEmailRule(['corp.com', '*'])('system:serviceaccount:ns:name')).toBe(true)
  expect(compileEmailRule([])('a@corp.com')).toBe(false)
})
