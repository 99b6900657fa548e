/** Adds parameters to a URL or path, keeping its own query; all sorted by name, as Go's `url.Values` encodes. */
export function withSortedQuery(url: string, parameters: Readonly<Record<string, string>>): string {
  const mark = url.indexOf('?')
  const query = new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1))
  for (const [name, value] of Object.entries(parameters)) if (value !== '') query.set(name, value)
  query.sort()
  return `${mark < 0 ? url : url.slice(0, mark)}?${query}`
}
