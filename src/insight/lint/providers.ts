import type { ExtensionProvider } from '../../gateway/mesh-config.ts'
import { compileNamePatterns } from '../../gateway/name-patterns.ts'
import { decide } from '../../policy/decide.ts'
import type { Place } from '../../policy/reader.ts'
import { policiesAtGateway, requestOf } from './conditions.ts'
import type { Edit } from './edit.ts'
import { parsePath, placeIn, valueAtPath } from './places.ts'
import type { Subject } from './subject.ts'

type List = 'includeRequestHeadersInCheck' | 'headersToUpstreamOnAllow'

/** The providers that the gateway asks by HTTP: what they are told, and what they may add, stands in lists. */
export function httpProvidersAsked(subject: Subject): ExtensionProvider[] {
  const asked = new Set(policiesAtGateway(subject).custom.map(({ provider }) => provider))
  const { extensionProviders } = subject.gateway.meshConfig
  return extensionProviders.filter(({ name, protocol }) => protocol === 'http' && asked.has(name))
}

/** Whether a list of a provider lets a header pass. */
export function letsPass(provider: ExtensionProvider, list: List, header: string): boolean {
  return compileNamePatterns(provider[list])(header)
}

/** Whether the gateway refuses requests without a verified token. */
export function needsToken(subject: Subject): boolean {
  return !decide(policiesAtGateway(subject), requestOf({ path: '/api/x' })).isAllowed
}

/** The place of a provider's list, or of the provider where it has none. */
export function placeOfList(subject: Subject, provider: ExtensionProvider, list: List): Place | undefined {
  return listOf(subject, provider, list)?.place ?? provider.place
}

/** A header put into a provider's list that has others. */
export function addToList(
  subject: Subject,
  { place, list, header }: { place: Place; list: List; header: string },
): Edit[] {
  const provider = httpProvidersAsked(subject).find((one) => placeOfList(subject, one, list)?.line === place.line)
  const last = provider && listOf(subject, provider, list)?.last
  return last ? [{ kind: 'add-item', place: last.place, after: last.value, item: header }] : []
}

function listOf({ meshConfigs }: Subject, { place }: ExtensionProvider, list: List) {
  if (!place) return undefined
  const base = parsePath(place.path)
  const document = meshConfigs.find((one) => {
    const own = placeIn(one, base)
    return own.file === place.file && own.line === place.line
  })
  const path = [...base, 'envoyExtAuthzHttp', list]
  const values = document && valueAtPath(document.value, path)
  if (!document || !Array.isArray(values)) return undefined
  const last = { value: String(values.at(-1)), place: placeIn(document, [...path, values.length - 1]) }
  return { place: placeIn(document, path), last: values.length > 0 ? last : undefined }
}
