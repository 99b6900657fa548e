import type { Problems } from '../kit/problems.ts'
import { type KeyedTexts, keyedTextsOf } from './keyed-texts.ts'
import { generateTexts } from './kustomization.ts'
import type { ReportBook } from './report.ts'
import { type Resource, within } from './resource.ts'
import type { SourceText } from './source-text.ts'
import { parseYaml, splitYaml, type YamlDocument } from './yaml-source.ts'

/** Everything read from a directory, taken apart but not yet understood. */
export interface Manifests {
  readonly resources: readonly Resource[]
  readonly keyedTexts: readonly KeyedTexts[]
  /** Texts that are no Kubernetes manifests: one per plain file, or per document of a YAML file. */
  readonly plainTexts: readonly SourceText[]
}

/** Kinds that are looked at; documents of other kinds are not even parsed. */
const knownKinds: ReadonlySet<string> = new Set([
  'List', 'ConfigMap', 'Secret', 'Kustomization', 'Deployment', 'StatefulSet', 'DaemonSet', 'Pod',
  'AuthorizationPolicy', 'RequestAuthentication', 'VirtualService', 'Gateway', 'IstioOperator', 'KeycloakRealmImport',
  'Service', 'ServiceEntry',
]) // biome-ignore format: a list of names

/** Where reading tells what it finds. */
export interface Reading {
  readonly problems: Problems
  readonly report: ReportBook
}

/**
 * Takes the files of a directory apart: Kubernetes manifests into resources (multi-document YAML, `List`s, the output
 * of `kustomize build`), ConfigMaps and Secrets into texts, kustomization generators into the ConfigMaps they would
 * make. What it has no use for goes to the report.
 */
export function readManifests(files: readonly SourceText[], reading: Reading): Manifests {
  const resources: Resource[] = []
  const plainTexts: SourceText[] = []
  for (const file of files) {
    const documents = /\.(?:ya?ml|json)$/i.test(file.file) ? splitYaml(file) : [file]
    for (const document of documents) {
      if (!isManifest(document)) plainTexts.push(document)
      else resources.push(...readResources(document, reading))
    }
  }
  const kustomizations = resources.filter(({ kind }) => kind === 'Kustomization')
  const generated = kustomizations.map(({ document }) => generateTexts(document, { files, problems: reading.problems }))
  const consumed = new Set(generated.flatMap(({ consumed }) => consumed))
  return {
    resources,
    keyedTexts: [
      ...resources.flatMap((resource) => keyedTextsOf(resource, reading.problems) ?? []),
      ...generated.flatMap(({ made }) => made),
    ],
    plainTexts: plainTexts.filter(({ file }) => !consumed.has(file)),
  }
}

/** Told apart by text, before any parsing: a Dex file may hold template placeholders that are no YAML. */
function isManifest({ file, text }: SourceText): boolean {
  if (!/\.(?:ya?ml|json)$/i.test(file)) return false
  if (/(?:^|\/)kustomization\.ya?ml$/.test(file)) return true
  return /(?:^|[{,])[ \t]*"?apiVersion"?[ \t]*:/m.test(text) && /(?:^|[{,])[ \t]*"?kind"?[ \t]*:/m.test(text)
}

function readResources(text: SourceText, reading: Reading): Resource[] {
  const { report, problems } = reading
  const kind = /^kind:[ \t]*["']?(\w+)["']?[ \t\r]*$/m.exec(text.text)?.[1]
  if (kind !== undefined && !knownKinds.has(kind) && !kind.endsWith('List')) {
    ignoreKind(text, kind, report)
    return []
  }
  const document = parseYaml(text, problems)
  return document ? resourcesOf(document, reading) : []
}

function ignoreKind(text: SourceText, kind: string, report: ReportBook): void {
  const name = /^metadata:[ \t\r]*\n(?:[ \t].*\n)*?[ \t]+name:[ \t]*(\S+)/m.exec(text.text)?.[1]
  const line = text.text.split('\n').findIndex((each) => each.startsWith('kind:')) + 1
  const position = () => text.locate({ line, column: 1 })
  report.at('ignored', { file: text.file, position }, [], `${kind}${name === undefined ? '' : ` ${name}`}`, {
    why: 'says nothing about sign-in',
  })
}

function resourcesOf(document: YamlDocument, reading: Reading): Resource[] {
  const manifest = document.value as { kind?: unknown; items?: unknown; apiVersion?: unknown; metadata?: unknown }
  const kind = String(manifest.kind ?? 'Kustomization')
  if (kind.endsWith('List') && Array.isArray(manifest.items)) {
    return manifest.items.flatMap((_, index) => resourcesOf(within(document, ['items', index]), reading))
  }
  const { name, namespace } = (manifest.metadata ?? {}) as { name?: unknown; namespace?: unknown }
  if (!knownKinds.has(kind)) {
    reading.report.at('ignored', document.source, [], `${kind} ${String(name ?? '')}`.trim(), {
      why: 'says nothing about sign-in',
    })
    return []
  }
  return [
    {
      kind,
      apiVersion: String(manifest.apiVersion ?? ''),
      namespace: String(namespace ?? ''),
      name: String(name ?? ''),
      document,
    },
  ]
}
