import type { Claims, MapperConfig } from './mapper.ts'

/**
 * Puts a value under the configured `claim.name`: dots nest, `\.` is a dot (OIDCAttributeMapperHelper.splitClaimPath).
 * Nothing is set for a value that is absent or an empty text or list.
 */
export function setClaim(claims: Claims, config: MapperConfig, value: unknown): void {
  const name = config['claim.name']
  if (name === undefined || name === '' || isEmpty(value)) return
  setPath(claims, splitClaimPath(name), value)
}

/** Puts a value at a path of nested objects. */
export function setPath(claims: Claims, path: readonly string[], value: unknown): void {
  const [first, ...rest] = path
  if (first === undefined || first === '__proto__') return
  if (rest.length === 0) {
    claims[first] = value
    return
  }
  const inner = Object.hasOwn(claims, first) ? claims[first] : undefined
  const nested: Claims = typeof inner === 'object' && inner !== null ? (inner as Claims) : {}
  claims[first] = nested
  setPath(nested, rest, value)
}

/** `a.b\.c` → `['a', 'b.c']` */
export function splitClaimPath(name: string): string[] {
  return name.split(/(?<!\\)\./).map((step) => step.replaceAll('\\.', '.'))
}

/** A text, or with `multivalued` a list of texts, in the JSON type the mapper asks for. */
export function typedValue(values: readonly string[], config: MapperConfig): unknown {
  const typed = values
    .map((value) => toJsonType(value, config['jsonType.label'] ?? 'String'))
    .filter((one) => !isEmpty(one))
  return config['multivalued'] === 'true' ? typed : typed[0]
}

function toJsonType(value: string, label: string): unknown {
  if (label === 'boolean') return value === 'true'
  if (label === 'long' || label === 'int') return Number.isSafeInteger(Number(value)) ? Number(value) : undefined
  if (label !== 'JSON') return value
  try {
    return JSON.parse(value)
  } catch {
    return undefined
  }
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0)
}
