import { statSync } from 'node:fs'
import { join } from 'node:path'
import { type DocumentPath, namedSource, type SourceDocument } from '../kit/problems.ts'
import { type Adapting, withValueAt } from './adapt.ts'
import { defaultBroker, defaultProxy } from './default-chain.ts'
import { brokerClient, brokerClientId, platformRealm } from './default-realm.ts'
import { environmentOf } from './environment.ts'
import { findOriginals } from './find-originals.ts'
import type { GatehouseYaml } from './gatehouse-yaml-schema.ts'
import { pathOf } from './host-map.ts'
import { type JsonObject, objectOf, objectsOf, textValue } from './json-values.ts'
import { readManifests } from './manifests.ts'
import type { Original, Originals, ProxyOriginal } from './originals.ts'
import { readTextFile, readTree } from './read-tree.ts'
import { ReportBook } from './report.ts'
import { within } from './resource.ts'
import type { SourceText } from './source-text.ts'
import { parseToml } from './toml-source.ts'
import { parseYaml, type YamlDocument } from './yaml-source.ts'

interface Sections {
  readonly settings: GatehouseYaml
  /** The folder of gatehouse.yaml, which the files it names are relative to. */
  readonly folder: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly adapting: Adapting
}

/** The sections of gatehouse.yaml as the originals' configurations: laid over the default chain, or read from files. */
export function readSections(document: YamlDocument, sections: Sections): Originals {
  const { settings } = sections
  const realms = settings.realm === false ? [] : readRealms(document, sections)
  const dex = settings.broker === false ? undefined : readBroker(document, { ...sections, realms })
  const proxy = settings.proxy === false ? undefined : readProxy(document, { ...sections, dex })
  const usesDefaultConnector =
    dex !== undefined && !hasOwn(settings.broker, 'connectors') && !hasOwn(settings.broker, 'from')
  return {
    dex,
    proxy,
    authservice: undefined,
    realms: usesDefaultConnector ? withBrokerClient(realms, sections.adapting) : realms,
    ...readGatewayFiles(document, sections),
  }
}

const hasOwn = (section: unknown, key: string): boolean => Object.hasOwn(objectOf(section), key)

function readRealms(document: YamlDocument, { settings, folder, adapting }: Sections): SourceDocument[] {
  const { realm } = settings
  if (realm === undefined) return [{ value: platformRealm(adapting), source: namedSource('gatehouse:realm') }]
  const places: DocumentPath[] = Array.isArray(realm) ? realm.map((_, index) => ['realm', index]) : [['realm']]
  return places.flatMap((path) => {
    const section = within(document, path)
    if (!hasOwn(section.value, 'from')) return section
    const file = openFile(section, { folder, adapting })
    return (file && parseYaml(file, adapting.problems)) ?? []
  })
}

/** The client of the default connector in the first realm, where that is one of the user's. */
function withBrokerClient([first, ...others]: readonly SourceDocument[], adapting: Adapting): SourceDocument[] {
  if (!first) return []
  const clients = objectsOf(objectOf(first.value)['clients'])
  if (clients.some(({ clientId }) => clientId === brokerClientId)) return [first, ...others]
  const client = brokerClient({ clientId: brokerClientId, ...adapting })
  return [withValueAt(first, ['clients'], [...clients, client]), ...others]
}

const unusedByUs = { storage: { type: 'memory' }, web: { http: '0.0.0.0:5556' } } // Dex does not start without them

function readBroker(
  document: YamlDocument,
  { folder, env, adapting, realms }: Sections & { readonly realms: readonly SourceDocument[] },
): Original | undefined {
  const section = within(document, ['broker'])
  const environment = environmentOf(undefined, { process: env, files: new Map() })
  if (hasOwn(section.value, 'from')) {
    const file = openFile(section, { folder, adapting })
    const read = file && parseYaml(file, adapting.problems)
    return read && { document: read, environment }
  }
  const { connectors, ...rest } = defaultBroker(adapting)
  const realm = textValue(objectOf(realms[0]?.value), 'realm')
  const config = { issuer: `${adapting.publicUrl}/auth/realms/${realm}` }
  const ownConnectors = connectors.map((connector) => ({ ...connector, config: { ...connector.config, ...config } }))
  const defaults = { ...unusedByUs, ...rest, connectors: realm === undefined ? [] : ownConnectors }
  const filledIn = Object.keys(unusedByUs).filter((key) => !hasOwn(section.value, key))
  return { document: overlay(section, defaults), environment, filledIn }
}

function readProxy(
  document: YamlDocument,
  { folder, env, adapting, dex }: Sections & { readonly dex: Original | undefined },
): ProxyOriginal | undefined {
  const section = within(document, ['proxy'])
  const environment = environmentOf(undefined, { process: env, files: new Map() })
  if (hasOwn(section.value, 'from')) {
    const file = openFile(section, { folder, adapting })
    const read = file && parseToml(file, adapting.problems)
    return read && { document: read, environment }
  }
  const defaults = defaultProxy(adapting)
  const issuer = textValue(objectOf(dex?.document.value), 'issuer') ?? defaults.oidc_issuer_url
  const urls = {
    oidc_issuer_url: issuer,
    login_url: `${pathOf(issuer)}/auth`,
    redeem_url: `${issuer}/token`,
    oidc_jwks_url: `${issuer}/keys`,
  }
  return { document: overlay(section, { ...defaults, ...urls }), environment }
}

/** The section's own members before the defaults; places of defaults are that of the section. */
function overlay(section: YamlDocument, defaults: JsonObject): SourceDocument {
  if (section.value === undefined) return { value: defaults, source: namedSource('gatehouse:default') }
  return { value: { ...defaults, ...objectOf(section.value) }, source: section.source }
}

function readGatewayFiles(document: YamlDocument, { settings, folder, env, adapting }: Sections) {
  const { problems } = adapting
  const files = settings.gateway.files.flatMap((name, index): SourceText[] => {
    const path = join(folder, name)
    const found = statSync(path, { throwIfNoEntry: false })
    if (found?.isDirectory()) return readTree(path, problems).map((text) => ({ ...text, file: join(path, text.file) }))
    const file = found?.isFile() && readTextFile(path, { problems })
    if (file) return [file]
    problems.error(
      document.source,
      ['gateway', 'files', index],
      `no such file \`${name}\``,
      'name a file or a directory',
    )
    return []
  })
  const reading = { problems, report: new ReportBook() }
  const { istio, meshConfigs } = findOriginals(readManifests(files, reading), { env, ...reading })
  return { istio, meshConfigs }
}

function openFile(section: YamlDocument, { folder, adapting }: Pick<Sections, 'folder' | 'adapting'>) {
  const { from, ...others } = objectOf(section.value)
  const { problems } = adapting
  for (const key of Object.keys(others)) {
    problems.error(section.source, [key], `\`${key}\` beside \`from\``, 'write it into that file, or leave `from` out')
  }
  const name = String(from)
  const path = join(folder, name)
  if (statSync(path, { throwIfNoEntry: false })?.isFile()) return readTextFile(path, { problems })
  problems.error(section.source, ['from'], `no such file \`${name}\``, 'name a file relative to gatehouse.yaml')
  return undefined
}
