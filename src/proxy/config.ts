import { z } from 'zod'
import type { AuthserviceSettings } from './authservice.ts'
import { checkProxyConfig } from './config-checks.ts'
import { type ProxyKey, type ProxyKeyName, proxyKeyNames, proxyKeys } from './keys.ts'
import { kindExpectations, type ProxyValue, weakValue } from './weak-values.ts'

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
}

/** The defaults of all keys, typed. */
export const defaultProxyConfig = typedConfig((name) => weakValue(proxyKeys[name].kind, proxyKeys[name].default))

/** A configuration from a function that knows every key's typed value; missing ones are the default. */
export function typedConfig(valueFor: (name: ProxyKeyName) => ProxyValue | undefined): ProxyConfig {
  const entries = proxyKeyNames.map((name) => [name, valueFor(name)])
  return Object.fromEntries(entries) as unknown as ProxyConfig // the table gives each name its kind
}

const shape = Object.fromEntries(
  proxyKeyNames.map((name) => {
    const { kind, default: fallback }: ProxyKey = proxyKeys[name]
    const value = z.unknown().transform((raw, context) => {
      const typed = weakValue(kind, raw ?? fallback)
      if (typed !== undefined) return typed
      context.addIssue({ code: 'custom', message: `must be ${kindExpectations[kind]}` })
      return z.NEVER
    })
    return [name, value.optional()]
  }),
)

/**
 * The `proxy` section of `gatehouse.yaml`: oauth2-proxy's keys with its weak typing and defaults, except that `provider`
 * is `oidc` unless said otherwise. Unknown keys are errors.
 */
export const proxyConfigSchema: z.ZodType<ProxyConfig> = z.strictObject(shape).transform((given, context) => {
  const values = given as Readonly<Record<string, ProxyValue | undefined>> // each transform answers a ProxyValue
  const config = { ...defaultProxyConfig, provider: 'oidc', ...dropUndefined(values) }
  for (const { key, message, fix, severity } of checkProxyConfig(config)) {
    if (severity === 'error') context.addIssue({ code: 'custom', path: [key], message: `${message}; ${fix}` })
  }
  return config
})

function dropUndefined(values: Readonly<Record<string, ProxyValue | undefined>>): Record<string, ProxyValue> {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, ProxyValue] => entry[1] !== undefined),
  )
}
