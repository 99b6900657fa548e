import type { Claims } from './facts.ts'

/** The texts of a claim, one or the members of a list; `undefined` where there is none. Nothing else ever matches. */
export function claimTexts(
  claims: Claims | undefined,
  path: readonly string[],
): string | readonly string[] | undefined {
  const value = claims && claimAt(claims, path)
  if (typeof value === 'string') return value
  return Array.isArray(value) ? value.filter((member) => typeof member === 'string') : undefined
}

/** The claim at a path of names; `undefined` where there is none. A list has no names, so none leads to a member of it. */
export function claimAt(claims: Claims, path: readonly string[]): unknown {
  let value: unknown = claims
  for (const name of path) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
    if (!Object.hasOwn(value, name)) return undefined
    value = (value as Claims)[name]
  }
  return value
}
