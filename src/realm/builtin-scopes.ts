import type { ClientScopeRepresentation, ProtocolMapperRepresentation } from './representation.ts'

type Config = Readonly<Record<string, string>>

const inAllTokens: Config = {
  'id.token.claim': 'true',
  'access.token.claim': 'true',
  'userinfo.token.claim': 'true',
  'introspection.token.claim': 'true',
}

const inAccessTokens: Config = { 'access.token.claim': 'true', 'introspection.token.claim': 'true' }

function mapper(name: string, protocolMapper: string, config: Config): ProtocolMapperRepresentation {
  return { name, protocol: 'openid-connect', protocolMapper, config }
}

function property(name: string, property: string, claim: string, type = 'String'): ProtocolMapperRepresentation {
  const config = { ...inAllTokens, 'user.attribute': property, 'claim.name': claim, 'jsonType.label': type }
  return mapper(name, 'oidc-usermodel-property-mapper', config)
}

function attribute(name: string, attribute: string, claim: string, type = 'String'): ProtocolMapperRepresentation {
  const config = { ...inAllTokens, 'user.attribute': attribute, 'claim.name': claim, 'jsonType.label': type }
  return mapper(name, 'oidc-usermodel-attribute-mapper', config)
}

function scope(
  name: string,
  description: string,
  isInToken: boolean,
  protocolMappers: ProtocolMapperRepresentation[],
): ClientScopeRepresentation {
  const attributes = { 'include.in.token.scope': String(isInToken) }
  return { name, description, protocol: 'openid-connect', attributes, protocolMappers }
}

/**
 * The client scopes a new realm has (Keycloak's OIDCLoginProtocolFactory), and one it has not: `groups`, which most
 * platforms behind Keycloak end up adding by hand.
 */
export const builtinScopes: readonly ClientScopeRepresentation[] = [
  scope('profile', 'OpenID Connect built-in scope: profile', true, [
    mapper('full name', 'oidc-full-name-mapper', inAllTokens),
    property('username', 'username', 'preferred_username'),
    property('given name', 'firstName', 'given_name'),
    property('family name', 'lastName', 'family_name'),
    attribute('middle name', 'middleName', 'middle_name'),
    attribute('nickname', 'nickname', 'nickname'),
    attribute('profile', 'profile', 'profile'),
    attribute('picture', 'picture', 'picture'),
    attribute('website', 'website', 'website'),
    attribute('gender', 'gender', 'gender'),
    attribute('birthdate', 'birthdate', 'birthdate'),
    attribute('zoneinfo', 'zoneinfo', 'zoneinfo'),
    attribute('locale', 'locale', 'locale'),
    attribute('updated at', 'updatedAt', 'updated_at', 'long'),
  ]),
  scope('email', 'OpenID Connect built-in scope: email', true, [
    property('email', 'email', 'email'),
    property('email verified', 'emailVerified', 'email_verified', 'boolean'),
  ]),
  scope('roles', 'OpenID Connect scope for add user roles to the access token', false, [
    mapper('realm roles', 'oidc-usermodel-realm-role-mapper', {
      ...inAccessTokens,
      'claim.name': 'realm_access.roles',
      'jsonType.label': 'String',
      multivalued: 'true',
    }),
    mapper('client roles', 'oidc-usermodel-client-role-mapper', {
      ...inAccessTokens,
      'claim.name': `resource_access.\${client_id}.roles`,
      'jsonType.label': 'String',
      multivalued: 'true',
    }),
    mapper('audience resolve', 'oidc-audience-resolve-mapper', inAccessTokens),
  ]),
  scope('web-origins', 'OpenID Connect scope for add allowed web origins to the access token', false, [
    mapper('allowed web origins', 'oidc-allowed-origins-mapper', inAccessTokens),
  ]),
  scope('acr', 'OpenID Connect scope for add acr (authentication context class reference) to the token', false, [
    mapper('acr loa level', 'oidc-acr-mapper', { ...inAccessTokens, 'id.token.claim': 'true' }),
  ]),
  scope('basic', 'OpenID Connect scope for add all basic claims to the token', false, [
    mapper('auth_time', 'oidc-usersessionmodel-note-mapper', {
      ...inAccessTokens,
      'id.token.claim': 'true',
      'user.session.note': 'AUTH_TIME',
      'claim.name': 'auth_time',
      'jsonType.label': 'long',
    }),
    mapper('sub', 'oidc-sub-mapper', inAccessTokens),
  ]),
  scope('groups', 'Group membership', true, [
    mapper('groups', 'oidc-group-membership-mapper', { ...inAllTokens, 'full.path': 'true', 'claim.name': 'groups' }),
  ]),
  scope('address', 'OpenID Connect built-in scope: address', true, [
    mapper('address', 'oidc-address-mapper', inAllTokens),
  ]),
  scope('phone', 'OpenID Connect built-in scope: phone', true, [
    attribute('phone number', 'phoneNumber', 'phone_number'),
    attribute('phone number verified', 'phoneNumberVerified', 'phone_number_verified', 'boolean'),
  ]),
  scope('offline_access', 'OpenID Connect built-in scope: offline_access', true, []),
  scope('microprofile-jwt', 'Microprofile - JWT built-in scope', true, [
    property('upn', 'username', 'upn'),
    mapper('groups', 'oidc-usermodel-realm-role-mapper', {
      ...inAllTokens,
      'claim.name': 'groups',
      'jsonType.label': 'String',
      multivalued: 'true',
    }),
  ]),
  scope('service_account', 'Specific scope for a client enabled for service accounts', false, [
    ...['client_id', 'clientHost', 'clientAddress'].map((note) =>
      mapper(note, 'oidc-usersessionmodel-note-mapper', {
        ...inAllTokens,
        'user.session.note': note,
        'claim.name': note,
        'jsonType.label': 'String',
      }),
    ),
  ]),
]

/** What a client gets unless it, or its realm, says otherwise. */
export const defaultScopeNames = ['profile', 'email', 'roles', 'web-origins', 'acr', 'basic'] as const
export const optionalScopeNames = ['address', 'phone', 'offline_access', 'microprofile-jwt', 'groups'] as const
