import type { DocumentPath, Problems } from '../kit/problems.ts'
import { generateTexts } from './kustomization.ts'
import type { ReportBook } from './report.ts'
import { type SourceText, textAt } from './source-text.ts'
import { parseYaml, splitYaml, type YamlDocument } from './yaml-source.ts'

/** A Kubernetes object, `List`s taken apart. */
export interface Resource {
  readonly kind: string
  readonly apiVersion: string
  /** Empty where the manifest names none (kustomize sets it later). */
  readonly namespace: string
  readonly name: string
  readonly document: YamlDocument
}

/** The entries of a ConfigMap or Secret (decoded), each with its lines. */
export interface KeyedTexts {
  readonly kind: 'ConfigMap' | 'Secret'
  readonly namespace: string
  readonly name: string
  readonly texts: ReadonlyMap<string, SourceText>
}

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
      ...resources.filter(({ kind }) => kind === 'ConfigMap' || kind === 'Secret').map((it) => keyedTexts(it, reading)),
      ...generated.flatMap(({ made }) => made),
    ],
    plainTexts: plainTexts.filter(({ file }) => !consumed.has(file)),
  }
}

/** Told apart by text, before any parsing: a Dex file may hold template placeholders that are no YAML. */
function isManifest({ file, text }: SourceText): boolean {
  if (!/\.(?:ya?ml|json)$/i.test(file)) return false
  if (/(?:^|\/)kustomization\.ya?ml$/.test(file)) return true
  return /(?:^|[{,])\s*"?apiVersion"?\s*:/m.test(text) && /(?:^|[{,])\s*"?kind"?\s*:/m.test(text)
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
  const name = /^metadata:\n(?:[ \t]+.*\n)*?[ \t]+name:[ \t]*(\S+)/m.exec(text.text)?.[1]
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

/** The part of a document below `base`, keeping its lines. */
export function within(document: YamlDocument, base: DocumentPath): YamlDocument {
  let value = document.value
  for (const step of base) value = (value as Record<string | number, unknown> | undefined)?.[step]
  return {
    value,
    source: { file: document.source.file, position: (path) => document.source.position([...base, ...path]) },
    text: (path) => document.text([...base, ...path]),
  }
}

function keyedTexts({ kind, namespace, name, document }: Resource, { problems }: Reading): KeyedTexts {
  const { data, stringData } = document.value as { data?: unknown; stringData?: unknown }
  const isSecret = kind === 'Secret'
  const texts = new Map<string, SourceText>()
  for (const key of keysOf(data)) {
    const text =
      document.text(['data', key]) ?? scalarAt(document, ['data', key], (data as Record<string, unknown>)[key])
    if (!isSecret) texts.set(key, text)
    else {
      const decoded = decodeBase64(text.text)
      if (decoded === undefined) {
        problems.error(document.source, ['data', key], 'not valid base64', 'encode it, or move it to stringData')
      } else texts.set(key, textAt(text.file, decoded, text.locate({ line: 1, column: 1 })))
    }
  }
  for (const key of isSecret ? keysOf(stringData) : []) {
    const path = ['stringData', key]
    texts.set(key, document.text(path) ?? scalarAt(document, path, (stringData as Record<string, unknown>)[key]))
  }
  return { kind: isSecret ? 'Secret' : 'ConfigMap', namespace, name, texts }
}

const keysOf = (value: unknown): string[] => (typeof value === 'object' && value !== null ? Object.keys(value) : [])

function scalarAt(document: YamlDocument, path: DocumentPath, value: unknown): SourceText {
  const position = document.source.position(path) ?? { line: 1, column: 1 }
  return textAt(document.source.file, value === null || value === undefined ? '' : String(value), position)
}

function decodeBase64(text: string): string | undefined {
  const compact = text.replace(/\s/g, '')
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(compact) || compact.length % 4 === 1) return undefined
  return Buffer.from(compact, 'base64').toString('utf8')
}
