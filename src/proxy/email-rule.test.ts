import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compileEmailRule, compileQueryDomains } from './email-rule.ts'

test('a domain lets in its addresses, in any case, and no lookalikes', () => {
  const isAllowed = compileEmailRule(['corp.com'])
  expect(isAllowed('a@corp.com')).toBe(true)
  expect(isAllowed('A@CORP.com')).toBe(true)
  for (const email of ['a@notcorp.com', 'a@sub.corp.com', 'a@corp.com.evil.org', 'corp.com', '@corp.com', 'a@', '']) {
    expect(isAllowed(email), email).toBe(false)
  }
})

// The first two rows of oauth2-proxy's own table (validator_test.go, `EmailNotInCorrect1stSubDomainsNotInEmails`).
test('a leading dot or `*.` lets in subdomains, and not the domain itself', () => {
  for (const rule of ['.corp.com', '*.corp.com']) {
    const isAllowed = compileEmailRule([rule])
    expect(isAllowed('a@corp.com')).toBe(false)
    expect(isAllowed('a@b.corp.com')).toBe(true)
    expect(isAllowed('a@badcorp.com')).toBe(false)
    expect(isAllowed('a@ext.badcorp.com')).toBe(false)
    expect(isAllowed('@b.corp.com')).toBe(false)
  }
})

test('in a query they are the domain, too, and `*` is no domain', () => {
  for (const rule of ['.corp.com', '*.corp.com']) {
    const isAllowed = compileQueryDomains([rule])
    expect([isAllowed('a@corp.com'), isAllowed('a@b.corp.com'), isAllowed('a@badcorp.com')]).toEqual([
      true,
      true,
      false,
    ])
  }
  expect(compileQueryDomains(['*'])('a@corp.com')).toBe(false)
})

test('no address gets in by a rule that is none of its endings', () => {
  fc.assert(
    fc.property(fc.string(), fc.domain(), fc.constantFrom('', '.', '*.'), (text, domain, prefix) => {
      const isAllowed = compileEmailRule([prefix + domain])
      if (isAllowed(text)) {
        expect(text.toLowerCase().endsWith(prefix === '' ? `@${domain}` : `.${domain}`)).toBe(true)
        expect(text.split('@')).toHaveLength(2)
      }
      expect(isAllowed(`${text}@evil.example@${domain}`)).toBe(false)
    }),
  )
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
