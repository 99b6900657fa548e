import type { Client, Group, RealmModel, Role } from './model.ts'

/** The ids of the roles these contain, themselves included. */
export function expandRoles(roles: ReadonlyMap<string, Role>, ids: Iterable<string>): Set<string> {
  const found = new Set<string>()
  const open = [...ids]
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (found.has(id)) continue
    const role = roles.get(id)
    if (!role) continue
    found.add(id)
    open.push(...role.composites)
  }
  return found
}

/** Every role a user has: their own, their groups' and those groups' ancestors', with what these contain. */
export function rolesOfUser(
  { roles, groups }: Pick<RealmModel, 'roles' | 'groups'>,
  { roleIds, groupIds }: { readonly roleIds: readonly string[]; readonly groupIds: readonly string[] },
): Role[] {
  const fromGroups = groupIds.flatMap((id) => ancestry(groups, id)).flatMap((group) => group.roleIds)
  const all = expandRoles(roles, [...roleIds, ...fromGroups])
  return [...all].flatMap((id) => roles.get(id) ?? []).sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** A group and the groups it lies in. */
function ancestry(groups: ReadonlyMap<string, Group>, id: string): Group[] {
  const found: Group[] = []
  for (
    let group = groups.get(id);
    group;
    group = group.parentId === undefined ? undefined : groups.get(group.parentId)
  ) {
    found.push(group)
  }
  return found
}

/**
 * The user's roles that may appear in a token for this client: all with full scope, else those in the scope mappings of
 * the client and of its granted scopes, and the client's own.
 */
export function rolesInScope(
  model: RealmModel,
  client: Client,
  { roles, scopeNames }: { readonly roles: readonly Role[]; readonly scopeNames: readonly string[] },
): Role[] {
  if (client.fullScopeAllowed) return [...roles]
  const granted = new Set(scopeNames)
  const isMapping = (mapping: { client?: string | undefined; clientScope?: string | undefined }) =>
    mapping.client === client.clientId || (mapping.clientScope !== undefined && granted.has(mapping.clientScope))
  const { scopeMappings, clientScopeMappings } = model.settings
  const ofRealm = scopeMappings.filter(isMapping).flatMap(({ roles }) => roles)
  const ofClients = Object.entries(clientScopeMappings).flatMap(([clientId, mappings]) =>
    mappings.filter(isMapping).flatMap((mapping) => mapping.roles.map((name) => `${clientId}\0${name}`)),
  )
  const isMapped = new Set([...ofRealm.map((name) => `\0${name}`), ...ofClients])
  const all = [...model.roles.values()]
  const mapped = all.filter(
    (role) => role.clientId === client.clientId || isMapped.has(`${role.clientId ?? ''}\0${role.name}`),
  )
  const allowed = expandRoles(
    model.roles,
    mapped.map(({ id }) => id),
  )
  return roles.filter(({ id }) => allowed.has(id))
}
