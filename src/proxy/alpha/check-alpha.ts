import { RE2JS } from 're2js'
import type { DocumentPath } from '../../kit/problems.ts'
import type { AlphaOptions, HeaderOptions, SecretSource, UpstreamOptions } from './alpha-options.ts'
import type { ProviderOptions } from './provider-options.ts'
import { readSecret } from './secret-source.ts'

/** Told of each thing wrong, with its place. */
export type AlphaReport = (path: DocumentPath, message: string) => void

/**
 * What oauth2-proxy checks of the alpha shape, in its words (pkg/validation/{providers,header,upstreams,common}.go),
 * whether it was written so or comes of flat keys.
 */
export function checkAlpha(options: AlphaOptions, report: AlphaReport): void {
  const { providers, upstreamConfig } = options
  for (const name of ['injectRequestHeaders', 'injectResponseHeaders'] as const) {
    checkUnique(options[name], {
      keyOf: (header) => header.name,
      tell: (index, header) =>
        report([name, index], `multiple headers found with name \`${header}\`: header names must be unique`),
    })
    for (const [index, header] of options[name].entries()) checkHeader(header, [name, index], report)
  }
  if (providers.length === 0) report(['providers'], 'at least one provider has to be defined')
  checkUnique(providers, {
    keyOf: ({ id }) => id,
    tell: (index, id) =>
      report(['providers', index, 'id'], `multiple providers found with id ${id}: provider ids must be unique`),
  })
  for (const [index, provider] of providers.entries()) checkProvider(provider, ['providers', index], report)
  const { upstreams } = upstreamConfig
  for (const key of ['id', 'path'] as const) {
    checkUnique(upstreams, {
      keyOf: (upstream) => upstream[key],
      tell: (index, value) =>
        report(
          ['upstreamConfig', 'upstreams', index, key],
          `multiple upstreams found with ${key} \`${value}\`: upstream ${key}s must be unique`,
        ),
    })
  }
  for (const [index, upstream] of upstreams.entries()) {
    checkUpstream(upstream, ['upstreamConfig', 'upstreams', index], report)
  }
}

function checkUnique<Item>(
  items: readonly Item[],
  { keyOf, tell }: { keyOf: (item: Item) => string; tell: (index: number, key: string) => void },
): void {
  const seen = new Set<string>()
  for (const [index, item] of items.entries()) {
    const key = keyOf(item)
    if (key !== '' && seen.has(key)) tell(index, key)
    seen.add(key)
  }
}

const signingAlgorithms: ReadonlySet<string> = new Set([
  ...['EdDSA', 'HS256', 'HS384', 'HS512', 'RS256', 'RS384', 'RS512'],
  ...['ES256', 'ES384', 'ES512', 'PS256', 'PS384', 'PS512'],
])

function checkProvider({ id, clientID, oidcConfig }: ProviderOptions, path: DocumentPath, report: AlphaReport): void {
  if (id === '') report([...path, 'id'], 'provider has empty id: ids are required for all providers')
  if (clientID === '') report([...path, 'clientID'], 'provider missing setting: client-id')
  for (const algorithm of oidcConfig.enabledSigningAlgs) {
    if (signingAlgorithms.has(algorithm)) continue
    report(
      [...path, 'oidcConfig', 'enabledSigningAlgs'],
      `provider ${id} has invalid EnabledSigningAlgs entry \`${algorithm}\``,
    )
  }
}

function checkHeader({ name, values }: HeaderOptions, path: DocumentPath, report: AlphaReport): void {
  if (name === '') report([...path, 'name'], 'header has empty name: names are required for all headers')
  else if (!/^[A-Za-z0-9!#$%&'*+\-.^_`|~]+$/.test(name)) report([...path, 'name'], `\`${name}\` is no header name`)
  for (const [index, { claimSource, secretSource }] of values.entries()) {
    const place = [...path, 'values', index]
    if (Boolean(claimSource) === Boolean(secretSource)) {
      report(place, 'header value has multiple entries: only one entry per value is allowed')
    }
    if (secretSource) checkSecret(secretSource, [...place, 'secretSource'], report)
    if (claimSource?.claim === '') report([...place, 'claimSource', 'claim'], 'claim should not be empty')
    if (claimSource?.basicAuthPassword) {
      checkSecret(claimSource.basicAuthPassword, [...place, 'claimSource', 'basicAuthPassword'], report)
    }
  }
}

function checkSecret(source: SecretSource, path: DocumentPath, report: AlphaReport): void {
  const given = [source.value, source.fromEnv, source.fromFile].filter(Boolean)
  if (given.length !== 1) {
    report(path, 'multiple values specified for secret source: specify either value, fromEnv of fromFile')
    return
  }
  try {
    if (readSecret(source) !== '') return
    report(path, `error loading secret from environment: no value for key \`${source.fromEnv}\``)
  } catch (error) {
    report(path, error instanceof Error ? error.message : 'the secret cannot be read')
  }
}

function checkUpstream(upstream: UpstreamOptions, path: DocumentPath, report: AlphaReport): void {
  const { id, path: place, uri, rewriteTarget, static: isStatic } = upstream
  if (id === '') report([...path, 'id'], 'upstream has empty id: ids are required for all upstreams')
  if (place === '') report([...path, 'path'], `upstream \`${id}\` has empty path: paths are required for all upstreams`)
  if (rewriteTarget !== '') checkPattern(upstream, path, report)
  if (isStatic) return
  if (uri === '') {
    report([...path, 'uri'], `upstream \`${id}\` has empty uri: uris are required for all non-static upstreams`)
    return
  }
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(uri)?.[1]?.toLowerCase() ?? ''
  if (!['http', 'https', 'file', 'unix'].includes(scheme)) {
    report([...path, 'uri'], `upstream \`${id}\` has invalid scheme: \`${scheme}\``)
  } else if (scheme.startsWith('http') && !URL.canParse(uri)) {
    report([...path, 'uri'], `upstream \`${id}\` has invalid uri: \`${uri}\` is no URL with a host`)
  }
}

function checkPattern({ path: pattern }: UpstreamOptions, path: DocumentPath, report: AlphaReport): void {
  try {
    RE2JS.compile(pattern)
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'unreadable'
    report([...path, 'path'], `invalid path \`${pattern}\` for upstream: ${reason}`)
  }
}
