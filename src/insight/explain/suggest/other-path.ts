import type { Candidate, SuggestionKind } from './kind.ts'

/** No route leads there, and one does to a path nearly the same. */
export const otherPath: SuggestionKind = ({ situation, walk }) => {
  const { facts, route, cause } = walk
  if (!facts || route || cause?.kind === 'token') return []
  const { path, query } = facts
  return [`${path}/`, path.toLowerCase(), `${path.toLowerCase()}/`]
    .filter((other) => other !== path)
    .map(
      (other): Candidate => ({
        text: `ask for \`${other}\``,
        places: [],
        size: 1,
        apply: (one) => ({ ...one, request: { ...situation.request, ...one.request, target: other + query } }),
      }),
    )
}
