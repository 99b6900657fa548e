/** What a provider wants done to the parameters of a query. */
interface ParamChanges {
  readonly setParams: readonly (readonly [name: string, value: string])[]
  readonly removedParams: readonly string[]
}

/**
 * A query (`?a=1`, or empty) with changes made: as Envoy writes it then, names and values as they came, sorted by name
 * (`Http::Utility::QueryParamsMulti`). Without changes it stays as it is.
 */
export function changeParams(query: string, { setParams, removedParams }: ParamChanges): string {
  if (setParams.length + removedParams.length === 0) return query
  const params = new Map<string, string[]>()
  for (const part of query.slice(1).split('&')) {
    const equals = part.indexOf('=')
    const name = equals < 0 ? part : part.slice(0, equals)
    if (part !== '') params.set(name, [...(params.get(name) ?? []), equals < 0 ? '' : part.slice(equals + 1)])
  }
  for (const [name, value] of setParams) params.set(name, [value.replace(unsafe, encodeURIComponent)])
  for (const name of removedParams) params.delete(name)
  const names = [...params.keys()].toSorted((one, other) => (one < other ? -1 : 1))
  const pairs = names.flatMap((name) => (params.get(name) ?? []).map((value) => `${name}=${value}`))
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`
}

/** What would end the parameter or the request line; Envoy sends it so, and the app refuses the request. */
const unsafe = /[^!-~]|[&#]/gu
