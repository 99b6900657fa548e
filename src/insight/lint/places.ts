import { type DocumentPath, formatPath, type SourceDocument } from '../../kit/problems.ts'
import type { Condition } from '../../policy/authorization-policy.ts'
import type { Place } from '../../policy/reader.ts'
import type { Resource } from '../../policy/resource.ts'
import type { Subject, Written } from './subject.ts'

/** The place of a value as it was written. */
export function placeOf({ source, path }: Pick<Written, 'source' | 'path'>): Place {
  return { file: source.file, ...source.position(path), path: formatPath(path) }
}

/** The place of `path` inside a document. */
export function placeIn({ source }: SourceDocument, path: DocumentPath): Place {
  return placeOf({ source, path })
}

/** The document a resource was read from. */
export function documentOf({ istio, meshConfigs }: Subject, { place }: Resource): SourceDocument | undefined {
  return [...istio, ...meshConfigs].find(({ source }) => {
    const start = source.position([])
    return source.file === place.file && start?.line === place.line && start?.column === place.column
  })
}

/** The place of something inside what was read at `place`; where there is nothing, the nearest that is there. */
export function placeBelow({ istio, meshConfigs }: Subject, place: Place, steps: DocumentPath): Place {
  const path = parsePath(place.path)
  const document = [...istio, ...meshConfigs].find((one) => {
    const { file, line, column } = placeIn(one, path)
    return file === place.file && line === place.line && column === place.column
  })
  return document ? placeIn(document, [...path, ...steps]) : place
}

/** The place of one value in the list of a condition; the list's own where it cannot be told. */
export function placeOfValue(
  subject: Subject,
  { resource, list, value }: { readonly resource: Resource; readonly list: Place; readonly value: string },
): Place {
  const document = documentOf(subject, resource)
  const path = parsePath(list.path)
  const values = document && valueAtPath(document.value, path)
  const index = Array.isArray(values) ? values.findIndex((one) => String(one) === value) : -1
  return document && index !== -1 ? placeIn(document, [...path, index]) : list
}

/** A value that stands in the list of a condition of a policy. */
export interface ListedValue {
  readonly value: string
  readonly place: Place
}

/** The values of a condition with the place of each. */
export function listedValues(subject: Subject, resource: Resource, { values, place }: Condition): ListedValue[] {
  return values.map((value) => ({ value, place: placeOfValue(subject, { resource, list: place, value }) }))
}

/** `spec.rules[0].to` → `['spec', 'rules', 0, 'to']` */
export function parsePath(path: string): DocumentPath {
  return [...path.matchAll(/\[(\d+)\]|([^.[\]]+)/g)].map(([, index, key]) =>
    index === undefined ? (key ?? '') : Number(index),
  )
}

/** The value at a path of a document; `undefined` where there is none. */
export function valueAtPath(value: unknown, path: DocumentPath): unknown {
  let part = value
  for (const step of path) part = memberOf(part, step)
  return part
}

/** A member by its name, else by its name in any case (Dex matches its keys so). */
function memberOf(value: unknown, step: string | number): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  const members = value as Readonly<Record<string | number, unknown>>
  if (Object.hasOwn(members, step)) return members[step]
  const key = Object.keys(members).find((name) => name.toLowerCase() === String(step).toLowerCase())
  return key === undefined ? undefined : members[key]
}

/** ` (policies.yaml:12)` */
export function seenAt({ file, line }: Place): string {
  return ` (${file}${line === undefined ? '' : `:${line}`})`
}
