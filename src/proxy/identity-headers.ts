import { RE2JS } from 're2js'
import type { HeaderOptions } from './alpha/alpha-options.ts'
import type { AuthserviceSettings } from './authservice/settings.ts'
import { headerValue, joinedHeaderValue } from './header-values.ts'
import { compileInjectedHeaders } from './inject-headers.ts'
import type { Session } from './session.ts'

/** Name, value, … of the headers that say who is signed in. */
export type IdentityHeaders = (session: Session) => string[]

/**
 * oauth2-proxy's response headers: `Gap-Auth`, always, and those that are configured (oauthproxy.go
 * `addHeadersForProxying`).
 */
export function compileIdentityHeaders(headers: readonly HeaderOptions[]): IdentityHeaders {
  const injected = compileInjectedHeaders(headers)
  return (session) => {
    const name = headerValue(session.email || session.user || '')
    return [...(name === '' ? [] : ['gap-auth', name]), ...injected(session)]
  }
}

/** Headers by which authservice tells an app of the user, so that nobody else may. */
export function toldNames({
  userIdHeader,
  groupsHeader,
  authMethodHeader,
  idTokenHeader,
}: AuthserviceSettings): string[] {
  return [userIdHeader, groupsHeader, authMethodHeader, ...(idTokenHeader === undefined ? [] : [idTokenHeader])]
}

/** authservice's headers: user id and groups (an empty one for no groups), and, if asked for, the ID token as a bearer. */
export function compileAuthserviceHeaders(settings: AuthserviceSettings): IdentityHeaders {
  const transformers = settings.userIdTransformers.map(({ matches, replaces }) => ({
    pattern: RE2JS.compile(matches),
    replaces,
  }))
  const transform = (userId: string): string => {
    const first = transformers.find(({ pattern }) => pattern.matcher(userId).find())
    return first ? first.pattern.matcher(userId).replaceAll(first.replaces) : userId
  }
  const { authMethodHeader, passesIdToken } = settings
  return ({ email = '', groups = [], idToken = '', authMethod }) => [
    ...[settings.userIdHeader, headerValue(settings.userIdPrefix + transform(email))],
    ...[settings.groupsHeader, joinedHeaderValue(groups)],
    ...(authMethod === undefined ? [] : [authMethodHeader, authMethod]),
    ...(idToken === '' || !passesIdToken ? [] : ['authorization', `Bearer ${headerValue(idToken)}`]),
    ...(settings.idTokenHeader === undefined ? [] : [settings.idTokenHeader, headerValue(idToken)]),
  ]
}
