import type { Trust } from '../../http/fetch-with-trust.ts'
import type { ProviderOptions } from '../alpha/provider-options.ts'
import type { ProxyConfig } from '../typed-config.ts'

/** Whose certificates a provider may show (`provider_ca_files`, `use_system_trust_store`, `ssl_insecure_skip_verify`). */
export function trustOf(
  { caFiles, useSystemTrustStore }: ProviderOptions,
  { ssl_insecure_skip_verify: isBlind }: ProxyConfig,
): Trust {
  return { caFiles, withSystem: useSystemTrustStore, isBlind }
}
