import { type DocumentPath, Problems, type Source, type SourceDocument } from '../kit/problems.ts'
import type { ChainSecrets } from './chain-secrets.ts'
import { findOriginals } from './find-originals.ts'
import { loadChainFromTexts } from './from-directory.ts'
import { isInCluster } from './host-map.ts'
import { type JsonObject, objectOf, objectsOf, textsOf, textValue, valueAt } from './json-values.ts'
import { type Manifests, readManifests } from './manifests.ts'
import type { Originals } from './originals.ts'
import { proxySetting, proxyText } from './proxy-settings.ts'
import { isOurs, ReportBook } from './report.ts'
import type { SourceText } from './source-text.ts'
import { containersOf } from './workloads.ts'

/** A value as it was written. */
export interface WrittenValue {
  readonly value: unknown
  readonly source: Source
  readonly path: DocumentPath
}

/** The files of a chain as they were written, nothing adapted or filled in, and what loading them would complain of. */
export interface WrittenChain {
  /** Everything `up --from` would say. */
  readonly problems: Problems
  /** Whether there is nothing in the files that says something of sign-in. */
  readonly isEmpty: boolean
  readonly istio: readonly SourceDocument[]
  readonly meshConfigs: readonly SourceDocument[]
  readonly dex: SourceDocument | undefined
  readonly realms: readonly SourceDocument[]
  readonly hasProxy: boolean
  /** A setting of oauth2-proxy, wherever it was written. */
  proxySetting(key: string): WrittenValue | undefined
  /** Variables of every container, `.env` file and ConfigMap. */
  readonly variables: readonly (WrittenValue & { readonly name: string })[]
  /** Labels of the pods the workloads make. */
  readonly podLabels: readonly JsonObject[]
}

/** Secrets that take the place of missing ones; nothing is run with them. */
export const unusedSecrets: ChainSecrets = { state: 'unused', cookie: 'A'.repeat(43), clients: {} }

/** Reads files to be checked, not run: against each other as they would be loaded, and one by one as they are. */
export function readWrittenChain(
  texts: readonly SourceText[],
  { env, problems }: { env: Readonly<Record<string, string | undefined>>; problems: Problems },
): WrittenChain {
  const aside = { problems: new Problems(), report: new ReportBook() } // the load below tells the same
  const manifests = readManifests(texts, aside)
  const originals = findOriginals(manifests, { env, ...aside })
  const publicUrl = publicOrigin(originals)
  loadChainFromTexts(texts, { publicUrl, secrets: unusedSecrets, env, apps: [], problems, inventsSecrets: true })
  const { dex, proxy, istio, meshConfigs, realms } = originals
  problems.list.splice(0, problems.list.length, ...problems.list.filter((problem) => !isOurs(problem)))
  const variables = variablesOf(manifests)
  return {
    problems,
    isEmpty: !dex && !proxy && [istio, meshConfigs, realms, variables].every(({ length }) => length === 0),
    ...asWritten(originals),
    variables,
    podLabels: manifests.resources.map(({ document }) => {
      const template = objectOf(objectOf(objectOf(document.value)['spec'])['template'])
      return objectOf(objectOf(template['metadata'])['labels'])
    }),
  }
}

/** What rules look at of the originals. */
export function asWritten({ dex, proxy, istio, meshConfigs, realms }: Originals) {
  return {
    ...{ istio, meshConfigs, realms },
    dex: dex?.document,
    hasProxy: proxy !== undefined,
    // a name that oauth2-proxy does not know is set nowhere
    proxySetting: (key: string) => proxy && proxySetting(proxy, key as Parameters<typeof proxySetting>[1]),
  }
}

function variablesOf(manifests: Manifests): WrittenChain['variables'] {
  return [
    ...containersOf(manifests).flatMap(({ env }) => [...env].map(([name, variable]) => ({ name, ...variable }))),
    ...manifests.keyedTexts.flatMap(({ texts }) =>
      [...texts].map(([name, text]) => ({ name, value: text.text.trim(), ...startOf(text) })),
    ),
    ...manifests.plainTexts.filter(({ file }) => file.endsWith('.env')).flatMap(assignmentsOf),
  ]
}

function startOf(text: SourceText): { source: Source; path: DocumentPath } {
  return { source: { file: text.file, position: () => text.locate({ line: 1, column: 1 }) }, path: [] }
}

function assignmentsOf(text: SourceText): (WrittenValue & { name: string })[] {
  return text.text.split('\n').flatMap((row, index) => {
    const [, name, value] = /^([A-Z_][A-Z0-9_]*)=(.*)$/i.exec(row.trim()) ?? []
    const source = { file: text.file, position: () => text.locate({ line: index + 1, column: 1 }) }
    return name === undefined ? [] : [{ name, value: value ?? '', source, path: [] }]
  })
}

/** Where browsers reach the platform, by the URLs its files name; an address of this machine where none does. */
function publicOrigin({ dex, proxy, authservice, istio }: Originals): string {
  const config = objectOf(dex?.document.value)
  const connectors = objectsOf(valueAt(config, 'connectors')).map((connector) => objectOf(valueAt(connector, 'config')))
  const rules = istio.flatMap(({ value }) => objectsOf(objectOf(objectOf(value)['spec'])['jwtRules']))
  const urls = textsOf([
    proxyText(proxy, 'redirect_url'),
    ...connectors.map((connector) => textValue(connector, 'redirectURI')),
    authservice?.values['REDIRECT_URL'],
    textValue(config, 'issuer'),
    proxyText(proxy, 'oidc_issuer_url'),
    ...rules.map(({ issuer }) => issuer).filter((issuer) => /\/dex$/.test(String(issuer))),
  ])
  const origins = urls.map((url) => URL.parse(url)).filter((url) => url?.protocol.startsWith('http'))
  return origins.find((url) => url && !isInCluster(url.hostname))?.origin ?? 'http://localhost:8080'
}
