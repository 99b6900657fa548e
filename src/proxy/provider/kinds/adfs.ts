import { claimText } from '../claims.ts'
import { bearerHeaders, type ProviderKind } from '../kind.ts'

/** Active Directory Federation Services (oauth2-proxy providers/adfs.go). */
export const adfs: ProviderKind = {
  title: 'ADFS',
  about: 'Active Directory Federation Services; accounts without an address are known by their `upn`',
  protocol: 'oidc',
  keys: ['resource'],
  defaults: { scope: 'openid email profile' },
  tokenHeaders: bearerHeaders,
  /** ADFS reads the resource from the front of the scope. */
  settle(options) {
    const resource =
      options.resource === '' || options.resource.endsWith('/') ? options.resource : `${options.resource}/`
    return options.scope.startsWith(resource) ? options : { ...options, scope: `${resource}${options.scope}` }
  },
  authorize(parameters, { ADFSConfig }) {
    // ADFS decodes the state once too often: without this the query of a deep link is lost.
    parameters.set('state', encodeURIComponent(parameters.get('state') ?? ''))
    if (ADFSConfig.skipScope) parameters.delete('scope')
  },
  identify(session, claims) {
    const upn = claimText(claims, 'upn')
    return session.email || upn === undefined ? session : { ...session, email: upn }
  },
}
