import type { Mapper, TokenRoles } from './mapper.ts'

/** `oidc-hardcoded-role-mapper`: a role every user has in this client's tokens. */
export const hardcodedRole: Mapper = {
  mapRoles(roles, config) {
    add(roles, parseRole(config['role'] ?? ''))
  },
}

/** `oidc-role-name-mapper`: a role under another name. */
export const roleName: Mapper = {
  mapRoles(roles, config) {
    const old = parseRole(config['role'] ?? '')
    const names = old.clientId === undefined ? roles.realm : roles.clients.get(old.clientId)
    if (!names?.delete(old.name)) return
    add(roles, parseRole(config['new.role.name'] ?? ''))
    if (old.clientId !== undefined && names.size === 0) roles.clients.delete(old.clientId)
  },
}

/** `client.role` or `role` (KeycloakModelUtils.parseRole: at the last dot). */
function parseRole(text: string): { clientId?: string; name: string } {
  const dot = text.lastIndexOf('.')
  return dot < 0 ? { name: text } : { clientId: text.slice(0, dot), name: text.slice(dot + 1) }
}

function add(roles: TokenRoles, { clientId, name }: { clientId?: string; name: string }): void {
  if (name === '') return
  if (clientId === undefined) {
    roles.realm.add(name)
    return
  }
  const names = roles.clients.get(clientId) ?? new Set()
  roles.clients.set(clientId, names.add(name))
}
