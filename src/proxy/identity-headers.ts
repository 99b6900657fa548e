import { RE2JS } from 're2js'
import type { AuthserviceSettings } from './authservice.ts'
import type { ProxyConfig } from './config.ts'
import { headerValue, joinedHeaderValue } from './header-values.ts'
import type { Session } from './session.ts'

/** Name, value, … of the headers that say who is signed in. */
export type IdentityHeaders = (session: Session) => string[]

/** oauth2-proxy's response headers (pkg/apis/options/legacy_options.go); empty values are left out. */
export function compileIdentityHeaders(config: ProxyConfig): IdentityHeaders {
  return (session) => {
    const { user = '', email = '', preferredUsername = '', groups = [], idToken = '', accessToken = '' } = session
    const headers: Record<string, string> = {
      'gap-auth': headerValue(email || user),
      ...(config.set_xauthrequest && {
        'x-auth-request-user': headerValue(user),
        'x-auth-request-email': headerValue(email),
        'x-auth-request-preferred-username': headerValue(preferredUsername),
        'x-auth-request-groups': joinedHeaderValue(groups),
        ...(config.pass_access_token && { 'x-auth-request-access-token': headerValue(accessToken) }),
      }),
      ...(config.set_authorization_header && idToken !== '' && { authorization: `Bearer ${headerValue(idToken)}` }),
    }
    return Object.entries(headers)
      .filter(([, value]) => value !== '')
      .flat()
  }
}

/** authservice's headers: user id and groups (an empty one for no groups), and the ID token as a bearer. */
export function compileAuthserviceHeaders(settings: AuthserviceSettings): IdentityHeaders {
  const transformers = settings.userIdTransformers.map(({ matches, replaces }) => ({
    pattern: RE2JS.compile(matches),
    replaces,
  }))
  const transform = (userId: string): string => {
    const first = transformers.find(({ pattern }) => pattern.matcher(userId).find())
    return first ? first.pattern.matcher(userId).replaceAll(first.replaces) : userId
  }
  return ({ email = '', groups = [], idToken = '' }) => [
    ...[settings.userIdHeader, headerValue(settings.userIdPrefix + transform(email))],
    ...[settings.groupsHeader, joinedHeaderValue(groups)],
    ...(idToken === '' ? [] : ['authorization', `Bearer ${headerValue(idToken)}`]),
    ...(settings.idTokenHeader === undefined ? [] : [settings.idTokenHeader, headerValue(idToken)]),
  ]
}
