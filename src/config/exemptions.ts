import type { DocumentPath, SourceDocument } from '../kit/problems.ts'
import { objectOf, objectsOf, textsOf } from './json-values.ts'

/** A list of paths that a policy lets alone. */
export interface Exemptions {
  readonly path: DocumentPath
  readonly paths: readonly string[]
}

/** Paths every sign-in chain exempts: a list with one of them is the list of those who guard themselves. */
const marks: ReadonlySet<string> = new Set(['/dex/*', '/oauth2/*', '/auth/*', '/authservice/*'])

/** The lists of exemptions (`notPaths`) of an AuthorizationPolicy, with their places. */
export function exemptionsOf({ value }: SourceDocument): Exemptions[] {
  const { kind, spec } = objectOf(value)
  if (kind !== 'AuthorizationPolicy') return []
  return objectsOf(objectOf(spec)['rules'])
    .flatMap((rule, index) =>
      objectsOf(rule['to']).map((to, at) => ({
        path: ['spec', 'rules', index, 'to', at, 'operation', 'notPaths'],
        paths: textsOf(objectOf(to['operation'])['notPaths']),
      })),
    )
    .filter(({ paths }) => paths.some((path) => marks.has(path)))
}
