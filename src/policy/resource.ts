import type { Place, Reader } from './reader.ts'

/** What every Kubernetes resource says of itself. */
export interface Resource {
  readonly name: string
  readonly namespace: string
  readonly place: Place
  /** RFC 3339 text, empty where the file has none; decides the order of routes and explanations. */
  readonly createdAt: string
  readonly annotations: Readonly<Record<string, string>>
}

/** Reads `metadata`. A resource without a namespace stands in `defaultNamespace`, as with `kubectl apply -n`. */
export function parseResource(document: Reader, defaultNamespace: string): Resource {
  const metadata = document.field('metadata')
  const name = metadata.field('name').text() ?? ''
  if (name === '') metadata.field('name').error('a resource needs a name')
  const annotations = metadata.field('annotations')
  const created = metadata.field('creationTimestamp').value
  return {
    name,
    namespace: metadata.field('namespace').text() ?? defaultNamespace,
    place: document.place,
    createdAt: created instanceof Date ? created.toISOString() : typeof created === 'string' ? created : '',
    annotations: Object.fromEntries(annotations.names().map((key) => [key, String(annotations.field(key).value)])),
  }
}

/** Istio's order of resources: age, then name, then namespace. */
export function byAge(a: Resource, b: Resource): number {
  return compareText(a.createdAt, b.createdAt) || compareText(a.name, b.name) || compareText(a.namespace, b.namespace)
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
