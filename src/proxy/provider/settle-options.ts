import type { ProviderOptions } from '../alpha/provider-options.ts'
import { providerKinds } from './index.ts'
import type { ProviderKind } from './kind.ts'

/** The kind of a provider; plain OpenID Connect for a name the table does not have (which the checks refuse). */
export function kindOf({ provider }: ProviderOptions): ProviderKind {
  const found = Object.hasOwn(providerKinds, provider) ? providerKinds[provider] : undefined
  return found ?? (providerKinds['oidc'] as ProviderKind) // a row of the table
}

/** A provider's settings with its kind's defaults, and what follows from them. */
export function settleOptions(options: ProviderOptions): ProviderOptions {
  const kind = kindOf(options)
  const { defaults = {} } = kind
  const filled: ProviderOptions = {
    ...options,
    loginURL: options.loginURL || defaults.loginURL || '',
    redeemURL: options.redeemURL || defaults.redeemURL || '',
    profileURL: options.profileURL || defaults.profileURL || '',
    validateURL: options.validateURL || defaults.validateURL || '',
    scope: options.scope || defaults.scope || '',
  }
  return kind.settle?.(filled) ?? filled
}

/** What the sign-in page calls a provider. */
export function titleOf(options: ProviderOptions): string {
  return options.name || kindOf(options).title
}

/** The groups of which a user needs one; empty for everybody. */
export function allowedGroupsOf(options: ProviderOptions): readonly string[] {
  const own = kindOf(options).allowedGroups?.(settleOptions(options)) ?? []
  return own.length > 0 ? own : options.allowedGroups
}
