import { compileAddressList } from './address-list.ts'
import { alphaOf } from './alpha/alpha-of-config.ts'
import type { ProviderOptions } from './alpha/provider-options.ts'
import type { CheckRequest, CheckRules } from './check.ts'
import { compileClientAddress } from './client-address.ts'
import { compileEmailRule } from './email-rule.ts'
import { allowedGroupsOf } from './provider/settle-options.ts'
import { meetsQueryConstraints } from './query-constraints.ts'
import { compileApiRoutes, compileSkipRoutes } from './routes.ts'
import type { Session } from './session.ts'
import { compileTrustedProxies } from './trusted-proxies.ts'
import type { ProxyConfig } from './typed-config.ts'

/** What else the rules are made from. */
export interface RuleSources {
  /** Of the configuration, unless told. */
  readonly providers?: readonly ProviderOptions[]
  /** Whether an address is in `authenticated_emails_file`. */
  readonly isListedEmail?: (email: string) => boolean
}

/** Why someone who is signed in may not enter. */
export type EntryRefusal = 'email' | 'group'

/** Compiles the configuration into what the check asks. `skipPrefixes`: authservice's plain path prefixes. */
export function compileRules(
  config: ProxyConfig,
  skipPrefixes: readonly string[] = [],
  sources: RuleSources = {},
): CheckRules {
  const prefixPatterns = skipPrefixes.map((prefix) => `^${prefix.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`)
  const isSkipRoute = compileSkipRoutes(config.skip_auth_routes, [...config.skip_auth_regex, ...prefixPatterns])
  const whyNot = compileEntry(config, sources)
  return {
    isSkipped: (method, path) => (config.skip_auth_preflight && method === 'OPTIONS') || isSkipRoute(method, path),
    isTrustedClient: compileTrustedClients(config),
    isApiRoute: compileApiRoutes(config.api_routes),
    askedUri: compileAskedUri(config),
    mayEnter: (session) => whyNot(session) === undefined,
    whyNot,
    meetsQuery: (session, uri) => meetsQueryConstraints(session, uri, false),
    forceJsonErrors: config.force_json_errors,
    knowsBackground: !config.compat,
    isLiteral: config.compat,
    skipProviderButton: config.skip_provider_button,
  }
}

/** pkg/requests/util `GetRequestURI` */
function compileAskedUri(config: ProxyConfig): CheckRules['askedUri'] {
  const isTrusted = compileTrustedProxies(config)
  return ({ path, headers, clientAddress }) => (isTrusted(clientAddress) && headers['x-forwarded-uri']) || path
}

function compileTrustedClients(config: ProxyConfig): (request: CheckRequest) => boolean {
  if (config.trusted_ips.length === 0) return () => false
  const isListed = compileAddressList(config.trusted_ips)
  const clientOf = compileClientAddress(config)
  return (request) => isListed(clientOf(request))
}

/**
 * Compiles who may enter: by address (`email_domains`, `authenticated_emails_file`) and by the groups of the provider
 * the user signed in at. Users of the password file have no address to judge, only groups.
 */
export function compileEntry(
  config: ProxyConfig,
  { providers = alphaOf(config).providers, isListedEmail = () => false }: RuleSources = {},
): (session: Session) => EntryRefusal | undefined {
  const isInDomain = compileEmailRule(config.email_domains)
  const isOpen = config.email_domains.includes('*')
  const groupsOf = new Map(providers.map((options) => [options.id, new Set(allowedGroupsOf(options))]))
  const [first = new Set<string>()] = groupsOf.values()

  return ({ email = '', groups: given = [], provider }) => {
    const wanted = provider === undefined ? first : groupsOf.get(provider)
    if (!wanted) return 'group' // its provider is no longer configured, so nobody says who is in which
    const isWelcome =
      email === ''
        ? wanted.size > 0 || isOpen || config.htpasswd_file !== '' || config.compat
        : isInDomain(email) || isListedEmail(email)
    if (!isWelcome) return 'email'
    return wanted.size === 0 || given.some((group) => wanted.has(group)) ? undefined : 'group'
  }
}
