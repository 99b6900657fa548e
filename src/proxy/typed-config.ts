import type { AlphaOptions } from './alpha/alpha-options.ts'
import type { AuthserviceSettings } from './authservice/settings.ts'
import { type ProxyKey, type ProxyKeyName, proxyKeyNames, proxyKeys } from './keys.ts'
import { type ProxyValue, weakValue } from './weak-values.ts'

type ValueOf<Key> =
  Key extends ProxyKey<'string'>
    ? string
    : Key extends ProxyKey<'bool'>
      ? boolean
      : Key extends ProxyKey<'list'>
        ? readonly string[]
        : number

/** oauth2-proxy's configuration under its own key names, everything present, durations in milliseconds. */
export type ProxyConfig = { readonly [Name in ProxyKeyName]: ValueOf<(typeof proxyKeys)[Name]> } & {
  /** Present where the proxy stands in for oidc-authservice (`parseAuthserviceEnv`). */
  readonly authservice?: AuthserviceSettings
  /**
   * Present where an alpha file was given; the flat keys of the first provider repeat it. Read `alphaOf(config)`, or
   * `core.alpha` in a running proxy: it is there whichever way the configuration was written.
   */
  readonly alpha?: AlphaOptions
}

/** The defaults of all keys, typed. */
export const defaultProxyConfig = typedConfig((name) => weakValue(proxyKeys[name].kind, proxyKeys[name].default))

/** A configuration from a function that knows every key's typed value. */
export function typedConfig(valueFor: (name: ProxyKeyName) => ProxyValue | undefined): ProxyConfig {
  const entries = proxyKeyNames.map((name) => [name, valueFor(name)])
  return Object.fromEntries(entries) as unknown as ProxyConfig // the table gives each name its kind
}
