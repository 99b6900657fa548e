import { parseScopes } from '../../oauth/scopes.ts'
import type { Client, RealmModel } from '../model.ts'

/** What a request's `scope` comes to for a client. */
export interface GrantedScope {
  readonly isOpenid: boolean
  /** Names of the client scopes that apply: the client's default ones and the optional ones asked for. */
  readonly names: readonly string[]
}

/** The scopes that apply for a request's `scope`; unknown ones are left out (see `unknownScopes`). */
export function grantScope(client: Client, scope: string | undefined): GrantedScope {
  const asked = parseScopes(scope)
  const optional = client.optionalClientScopes.filter((name) => asked.includes(name))
  return { isOpenid: asked.includes('openid'), names: [...new Set([...client.defaultClientScopes, ...optional])] }
}

/** Whether the client may ask for each of these. An empty `scope` is refused as Keycloak refuses it. */
export function isValidScope(client: Client, scope: string): boolean {
  const asked = parseScopes(scope)
  const known = ['openid', ...client.defaultClientScopes, ...client.optionalClientScopes]
  return asked.length > 0 && asked.every((name) => known.includes(name))
}

/** The `scope` the client is told: `openid` and those whose `include.in.token.scope` is not false. */
export function visibleScope({ isOpenid, names }: GrantedScope, model: RealmModel): string {
  const visible = names.filter((name) => {
    const scope = model.scopes.get(name)
    return scope !== undefined && scope.attributes['include.in.token.scope'] !== 'false'
  })
  return [...(isOpenid ? ['openid'] : []), ...visible].join(' ')
}

/** The whole scope, as refresh tokens carry it. */
export function wholeScope({ isOpenid, names }: GrantedScope): string {
  return [...(isOpenid ? ['openid'] : []), ...names].join(' ')
}
