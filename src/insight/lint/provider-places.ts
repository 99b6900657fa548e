import type { Place } from '../../policy/reader.ts'
import { parsePath, placeIn, valueAtPath } from './places.ts'
import type { Subject } from './subject.ts'

/** The place of a value in a list of an HTTP provider; the provider's where it cannot be told. */
export function valuePlaceOfProvider(
  { meshConfigs }: Subject,
  {
    provider,
    list,
    value,
  }: { readonly provider: { readonly place: Place | undefined }; readonly list: string; readonly value: string },
): Place | undefined {
  const { place } = provider
  if (!place) return undefined
  for (const document of meshConfigs) {
    const base = parsePath(place.path)
    const own = placeIn(document, base)
    if (own.file !== place.file || own.line !== place.line) continue
    const path = [...base, 'envoyExtAuthzHttp', list]
    const values = valueAtPath(document.value, path)
    const index = Array.isArray(values) ? values.indexOf(value) : -1
    if (index !== -1) return placeIn(document, [...path, index])
  }
  return place
}
