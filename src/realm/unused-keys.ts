import { type DocumentPath, formatPath } from '../kit/problems.ts'
import type { GroupRepresentation, RealmRepresentation } from './representation.ts'
import {
  unusedClientFields,
  unusedCredentialFields,
  unusedGroupFields,
  unusedRealmFields,
  unusedRoleFields,
  unusedUserFields,
} from './representation-fields.ts'

/** Fields of an export that say what the rest of it says already, or nothing: not worth a line to the operator. */
const redundant: ReadonlySet<string> = new Set([
  'path', 'parentId', 'subGroupCount', 'access', 'composite', 'clientRole', 'containerId', 'keycloakVersion', 'self',
  'totp', 'disableableCredentialTypes', 'scopeParamRequired', 'origin',
]) // biome-ignore format: a list of names

/**
 * The keys of a realm file that are kept but have no effect, so that the caller can say so: `smtpServer`,
 * `clients[2].consentRequired`.
 */
export function unusedRealmKeys(realm: RealmRepresentation): { readonly path: DocumentPath; readonly name: string }[] {
  const found: { path: DocumentPath; name: string }[] = []
  const look = (value: object, fields: readonly string[], base: DocumentPath) => {
    for (const field of fields) {
      if (redundant.has(field) || isEmpty((value as Record<string, unknown>)[field])) continue
      found.push({ path: [...base, field], name: formatPath([...base, field]) })
    }
  }
  const lookGroups = (groups: readonly GroupRepresentation[], base: DocumentPath) => {
    for (const [index, group] of groups.entries()) {
      look(group, unusedGroupFields, [...base, index])
      lookGroups(group.subGroups, [...base, index, 'subGroups'])
    }
  }

  look(realm, unusedRealmFields, [])
  lookGroups(realm.groups, ['groups'])
  for (const [index, role] of realm.roles.realm.entries()) look(role, unusedRoleFields, ['roles', 'realm', index])
  for (const [index, client] of realm.clients.entries()) look(client, unusedClientFields, ['clients', index])
  for (const [index, user] of realm.users.entries()) {
    look(user, unusedUserFields, ['users', index])
    for (const [at, credential] of user.credentials.entries()) {
      look(credential, unusedCredentialFields, ['users', index, 'credentials', at])
    }
  }
  return found
}

/** Absent, or at a value that asks for nothing. */
function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === '' || value === 0) return true
  return typeof value === 'object' && Object.keys(value).length === 0
}
