import { describe, expect, test } from 'vitest'
import { rules } from '../../src/insight/lint/index.ts'
import { findingsOf, placesOf } from './check-world.ts'

describe.each(rules.map((rule) => [rule.id, rule] as const))('%s', (id, { bad, good, severity }) => {
  test('finds its bad example, at a line of it', () => {
    const found = findingsOf(bad).filter(({ rule }) => rule === id)
    expect(found).not.toEqual([])
    for (const { place, severity: told } of found) {
      expect(Object.keys(bad)).toContain(place.file)
      expect(place.line).toBeGreaterThan(0)
      expect(told).toBe(severity)
    }
  })

  test('finds nothing in its good example, nor does another rule that fails a build', () => {
    expect(placesOf(findingsOf(good).filter((finding) => finding.rule === id || finding.severity === 'error'))).toEqual(
      [],
    )
  })

  test('finds nothing else in its bad example that fails a build', () => {
    expect(placesOf(findingsOf(bad).filter((finding) => finding.rule !== id && finding.severity === 'error'))).toEqual(
      [],
    )
  })
})

test('ids are unique words with hyphens', () => {
  const ids = rules.map(({ id }) => id)
  expect(new Set(ids).size).toBe(ids.length)
  for (const id of ids) expect(id).toMatch(/^[a-z]+(?:-[a-z]+)*$/)
})
