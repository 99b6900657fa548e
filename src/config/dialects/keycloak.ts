import { formatPath, type SourceDocument } from '../../kit/problems.ts'
import { parseWith } from '../../kit/schema.ts'
import { type RealmRepresentation, realmRepresentationSchema, unusedRealmKeys } from '../../realm/config.ts'
import type { Adapting } from '../adapt.ts'

/** Reads a Keycloak realm file; `undefined` and problems where it cannot be run. */
export function importRealm(
  { value, source }: SourceDocument,
  { problems, report }: Adapting,
): RealmRepresentation | undefined {
  const realm = parseWith(realmRepresentationSchema, value, { source, problems })
  for (const { path, name } of realm ? unusedRealmKeys(realm) : []) {
    report.at('ignored', source, path, name || formatPath(path), { why: 'kept, but without effect' })
  }
  return realm
}
