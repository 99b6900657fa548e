import { z } from 'zod'
import { checkProxyConfig } from './config-checks.ts'
import { type ProxyKey, proxyKeyNames, proxyKeys } from './keys.ts'
import { defaultProxyConfig, type ProxyConfig } from './typed-config.ts'
import { kindExpectations, type ProxyValue, weakValue } from './weak-values.ts'

export type { ProxyConfig }

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
