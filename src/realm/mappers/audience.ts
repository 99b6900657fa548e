import type { Claims, Mapper } from './mapper.ts'

/** `oidc-audience-mapper`: a client's id, or any text, as a further audience. */
export const audience: Mapper = {
  map(claims, config) {
    addAudience(claims, config['included.client.audience'] || config['included.custom.audience'])
  },
}

/** `oidc-audience-resolve-mapper`: every client the user has roles of, but the one the token is issued to. */
export const audienceResolve: Mapper = {
  isInAccessTokenByDefault: true,
  map(claims, _config, { roles, client }) {
    for (const clientId of roles.clients.keys()) if (clientId !== client.clientId) addAudience(claims, clientId)
  },
}

/** `aud` is one text, or a list of more than one. */
function addAudience(claims: Claims, added: string | undefined): void {
  if (added === undefined || added === '') return
  const aud = claims['aud']
  const old = aud === undefined ? [] : Array.isArray(aud) ? aud : [aud]
  if (old.includes(added)) return
  claims['aud'] = old.length === 0 ? added : [...old, added]
}
