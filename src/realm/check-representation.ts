import type { z } from 'zod'
import type { GroupRepresentation, RealmRepresentation } from './representation.ts'

type Report = (path: (string | number)[], message: string) => void

/** What no single field shows: names that come twice, groups that are not there. */
export function checkRepresentation(
  realm: RealmRepresentation,
  context: z.core.$RefinementCtx<RealmRepresentation>,
): void {
  const report: Report = (path, message) => context.addIssue({ code: 'custom', path, message, input: undefined })
  const paths = groupPaths(realm.groups, { parent: '', at: ['groups'], report })
  checkUnique(realm.clients, 'clients', 'clientId', report)
  checkUnique(realm.clientScopes, 'clientScopes', 'name', report)
  checkUnique(realm.users, 'users', 'username', report)
  if (!realm.duplicateEmailsAllowed) checkUnique(realm.users, 'users', 'email', report)

  const checkGroup = (group: string, path: (string | number)[]) => {
    if (!paths.has(group.startsWith('/') ? group : `/${group}`)) report(path, `there is no group at \`${group}\``)
  }
  for (const [index, group] of realm.defaultGroups.entries()) checkGroup(group, ['defaultGroups', index])
  for (const [index, user] of realm.users.entries()) {
    for (const [at, group] of user.groups.entries()) checkGroup(group, ['users', index, 'groups', at])
  }
}

function checkUnique<Field extends string>(
  items: readonly { readonly [Key in Field]?: string | undefined }[],
  list: string,
  field: Field,
  report: Report,
): void {
  const seen = new Set<string>()
  for (const [index, item] of items.entries()) {
    const name = item[field]?.toLowerCase()
    if (name === undefined) continue
    if (seen.has(name)) report([list, index, field], `\`${item[field]}\` is here twice`)
    seen.add(name)
  }
}

function groupPaths(
  groups: readonly GroupRepresentation[],
  { parent, at, report }: { parent: string; at: (string | number)[]; report: Report },
): Set<string> {
  const found = new Set<string>()
  for (const [index, group] of groups.entries()) {
    const path = `${parent}/${group.name}`
    const place = [...at, index]
    if (found.has(path)) report([...place, 'name'], `the group \`${path}\` is here twice`)
    found.add(path)
    for (const inner of groupPaths(group.subGroups, { parent: path, at: [...place, 'subGroups'], report }))
      found.add(inner)
  }
  return found
}
