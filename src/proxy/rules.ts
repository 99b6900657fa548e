import type { CheckRules } from './check.ts'
import type { ProxyConfig } from './config.ts'
import { compileEmailRule } from './email-rule.ts'
import { meetsQueryConstraints } from './query-constraints.ts'
import { compileApiRoutes, compileSkipRoutes } from './routes.ts'

/** Compiles the configuration into what the check asks. `skipPrefixes`: authservice's plain path prefixes. */
export function compileRules(config: ProxyConfig, skipPrefixes: readonly string[] = []): CheckRules {
  const prefixPatterns = skipPrefixes.map((prefix) => `^${prefix.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`)
  const isSkipRoute = compileSkipRoutes(config.skip_auth_routes, [...config.skip_auth_regex, ...prefixPatterns])
  const isEmailAllowed = compileEmailRule(config.email_domains)
  const groups = new Set([
    ...config.allowed_groups,
    ...(config.provider === 'keycloak-oidc' ? config.allowed_roles.map((role) => `role:${role}`) : []),
  ])
  return {
    isSkipped: (method, path) => (config.skip_auth_preflight && method === 'OPTIONS') || isSkipRoute(method, path),
    isApiRoute: compileApiRoutes(config.api_routes),
    mayEnter: ({ email, groups: given = [] }) =>
      (email === undefined || email === ''
        ? groups.size > 0 || config.email_domains.includes('*')
        : isEmailAllowed(email)) &&
      (groups.size === 0 || given.some((group) => groups.has(group))),
    meetsQuery: (session, uri) => meetsQueryConstraints(session, uri, false),
    forceJsonErrors: config.force_json_errors,
    skipProviderButton: config.skip_provider_button,
  }
}
