import { RE2JS } from 're2js'
import type { JsonObject } from '../../tokens/jwt.ts'
import type { Identity } from './connector.ts'
import type { OidcConnectorConfig } from './oidc-config.ts'

/** What the claims of an upstream ID token (with userinfo merged over them) say. */
export type ClaimsOutcome =
  | { readonly kind: 'identity'; readonly identity: Identity }
  | { readonly kind: 'not-in-groups' }
  | { readonly kind: 'unusable'; readonly detail: string }

/** Reads the claims of one upstream provider. */
export type ReadClaims = (claims: JsonObject) => ClaimsOutcome

/**
 * Maps upstream claims to an identity in Dex's order (dex connector/oidc/oidc.go `createIdentity`), with its texts.
 * Ours: a missing `name` has a substitute, a group loses its leading slash (Keycloak's full group paths), and
 * `allowedGroups` matches with or without it.
 */
export function openClaimsReader(config: OidcConnectorConfig): ReadClaims {
  const toGroups = openGroupsReader(config)
  return (claims) => {
    const subject = textClaim(claims, 'sub')
    if (subject === undefined) return unusable('missing "sub" claim')
    const username = usernameOf(claims, config)
    if (username === undefined) return unusable(`missing "${config.userNameKey || 'name'}" claim`)

    const email = mappedClaim(claims, 'email', config)
    const wantsEmail = scopesOf(config).includes('email')
    if (email === undefined && wantsEmail) return unusable('missing email claim, not found "email" key')
    const verified = claims['email_verified']
    if (typeof verified !== 'boolean' && !config.insecureSkipEmailVerified && wantsEmail) {
      return unusable('missing "email_verified" claim')
    }
    const groups = toGroups(claims)
    if (groups === 'malformed') return unusable('malformed "groups" claim')
    if (groups === 'none-allowed') return { kind: 'not-in-groups' }
    const userId = config.userIDKey === '' ? subject : textClaim(claims, config.userIDKey)
    if (userId === undefined) return unusable(`not found ${config.userIDKey} claim`)
    return {
      kind: 'identity',
      identity: {
        userId,
        username,
        preferredUsername: mappedClaim(claims, 'preferred_username', config) ?? '',
        email: email ?? '',
        emailVerified: typeof verified === 'boolean' ? verified : config.insecureSkipEmailVerified,
        groups,
      },
    }
  }
}

/** The scopes asked for: `openid`, then the configured ones, or `profile email` where none are. */
export function scopesOf({ scopes }: OidcConnectorConfig): string[] {
  return [...new Set(['openid', ...(scopes.length > 0 ? scopes : ['profile', 'email'])])]
}

/**
 * The claim Dex calls the name. Where the configuration names none, Dex fails for a user without `name`, whom nobody
 * has given a first or last name; ours goes by the user name or e-mail then.
 */
function usernameOf(claims: JsonObject, { userNameKey }: OidcConnectorConfig): string | undefined {
  if (userNameKey !== '') return textClaim(claims, userNameKey)
  return textClaim(claims, 'name') ?? textClaim(claims, 'preferred_username') ?? textClaim(claims, 'email')
}

/** A claim by its standard name; `claimMapping` is the fallback, or comes first with `overrideClaimMapping`. */
function mappedClaim(
  claims: JsonObject,
  name: 'email' | 'preferred_username',
  { claimMapping, overrideClaimMapping }: OidcConnectorConfig,
): string | undefined {
  const standard = textClaim(claims, name)
  const mapped = claimMapping[name]
  return (standard === undefined || overrideClaimMapping) && mapped !== '' ? textClaim(claims, mapped) : standard
}

function openGroupsReader(config: OidcConnectorConfig) {
  const { newGroupFromClaims, filterGroupClaims, modifyGroupNames } = config.claimModifications
  const filter = compileFilter(filterGroupClaims.groupsFilter)
  const allowed = new Set(config.allowedGroups.map(withoutSlash))
  const { prefix, suffix } = modifyGroupNames

  const upstreamGroups = (claims: JsonObject): readonly string[] | 'malformed' | 'none-allowed' => {
    if (!config.insecureEnableGroups) return []
    const names = groupNames(groupsClaim(claims, config))
    if (!names) return 'malformed'
    const groups = names
      .filter((name) => filter(name))
      .map(withoutSlash)
      .filter((name) => name !== '')
    if (allowed.size === 0) return groups
    const kept = groups.filter((name) => allowed.has(name))
    return kept.length > 0 ? kept : 'none-allowed'
  }

  return (claims: JsonObject) => {
    const groups = upstreamGroups(claims)
    if (typeof groups === 'string') return groups
    const renamed = groups.map((name) => `${prefix}${name}${suffix}`)
    const made = newGroupFromClaims.flatMap((rule) => groupFromClaims(claims, rule) ?? [])
    return [...new Set([...renamed, ...made])]
  }
}

function groupsClaim(claims: JsonObject, { claimMapping, overrideClaimMapping }: OidcConnectorConfig): unknown {
  const isMapped = claimMapping.groups !== '' && (overrideClaimMapping || !Array.isArray(claims['groups']))
  return isMapped ? claims[claimMapping.groups] : claims['groups']
}

/** A list of names, or of objects with a `name`, or one name. */
function groupNames(value: unknown): string[] | undefined {
  if (value === undefined || value === null) return []
  if (typeof value === 'string') return [value]
  if (!Array.isArray(value)) return []
  const names = value.map((item: unknown) =>
    typeof item === 'object' && item !== null ? (item as { name?: unknown }).name : item,
  )
  return names.every((name) => typeof name === 'string') ? names : undefined
}

function groupFromClaims(
  claims: JsonObject,
  {
    claims: names,
    delimiter,
    clearDelimiter,
    prefix,
  }: OidcConnectorConfig['claimModifications']['newGroupFromClaims'][number],
): string | undefined {
  const segments = names
    .flatMap((name) => textClaim(claims, name) ?? [])
    .map((value) => (clearDelimiter && delimiter !== '' ? value.replaceAll(delimiter, '') : value))
  return segments.length === 0 ? undefined : [prefix, ...segments].join(delimiter)
}

/** RE2 as in Dex. An expression that does not compile filters nothing, as in Dex; configuration warns of it. */
function compileFilter(expression: string): (name: string) => boolean {
  if (expression === '') return () => true
  try {
    const compiled = RE2JS.compile(expression)
    return (name) => compiled.matcher(name).find()
  } catch {
    return () => true
  }
}

function withoutSlash(name: string): string {
  return name.startsWith('/') ? name.slice(1) : name
}

function textClaim(claims: JsonObject, name: string): string | undefined {
  const value = claims[name]
  return typeof value === 'string' ? value : undefined
}

function unusable(detail: string): ClaimsOutcome {
  return { kind: 'unusable', detail }
}
