import type { DocumentPath, Source } from '../kit/problems.ts'
import { type JsonObject, objectOf, objectsOf, textsOf } from './json-values.ts'
import type { KeyedTexts } from './keyed-texts.ts'
import type { Manifests } from './manifests.ts'
import { type Resource, titleOf, within } from './resource.ts'
import type { SourceText } from './source-text.ts'

/** A variable of a container and where its value was written. */
export interface Variable {
  readonly value: string
  readonly source: Source
  readonly path: DocumentPath
}

/** A variable (or, without a name, a whole `envFrom`) whose ConfigMap or Secret is not among the files. */
export interface MissingVariable {
  readonly name?: string
  /** `Secret dex-oidc-client, key client-secret` */
  readonly wanted: string
  readonly source: Source
  readonly path: DocumentPath
}

/** A container of a workload: its variables, its arguments, and which ConfigMaps and Secrets it mounts. */
export interface Container {
  /** `Deployment auth/dex` */
  readonly workload: string
  readonly name: string
  readonly image: string
  readonly namespace: string
  readonly args: readonly string[]
  readonly source: Source
  readonly env: ReadonlyMap<string, Variable>
  readonly missing: readonly MissingVariable[]
  /** Whether all its variables are known: each ConfigMap and Secret they come from is among the files. */
  readonly isWhole: boolean
  readonly mounts: readonly string[]
  /** ConfigMaps and Secrets its variables come from: `Secret dex-passwords`. */
  readonly references: readonly string[]
}

/** The containers of every workload, their `env` and `envFrom` resolved from the ConfigMaps and Secrets beside them. */
export function containersOf({ resources, keyedTexts }: Manifests): Container[] {
  return resources.flatMap((resource) => {
    const base = podSpecPath(resource)
    if (!base) return []
    const pod = objectOf(within(resource.document, base).value)
    const mounts = objectsOf(pod['volumes']).flatMap(mountedNames)
    return objectsOf(pod['containers']).map((container, index) =>
      readContainer(container, { resource, path: [...base, 'containers', index], mounts, keyedTexts }),
    )
  })
}

/** Whether two manifests are of one namespace; one that names none (it is set later) fits every other. */
export function isSameNamespace(a: string, b: string): boolean {
  return a === b || a === '' || b === ''
}

function podSpecPath({ kind }: Resource): DocumentPath | undefined {
  if (kind === 'Pod') return ['spec']
  return ['Deployment', 'StatefulSet', 'DaemonSet'].includes(kind) ? ['spec', 'template', 'spec'] : undefined
}

function mountedNames(volume: JsonObject): string[] {
  const sources = [volume, ...objectsOf(objectOf(volume['projected'])['sources'])]
  return sources
    .flatMap(({ configMap, secret }) => [objectOf(configMap), objectOf(secret)])
    .flatMap(({ name, secretName }) => textsOf([name, secretName]))
}

interface ContainerPlace {
  readonly resource: Resource
  readonly path: DocumentPath
  readonly mounts: readonly string[]
  readonly keyedTexts: readonly KeyedTexts[]
}

function readContainer(container: JsonObject, place: ContainerPlace): Container {
  const { resource, path, mounts } = place
  const { namespace, document } = resource
  const { env, missing, isWhole, references } = resolveEnv(container, place)
  return {
    workload: titleOf(resource),
    name: String(container['name'] ?? ''),
    image: String(container['image'] ?? ''),
    namespace,
    args: [...textsOf(container['command']), ...textsOf(container['args'])].map((arg) => expanded(arg, env)),
    source: within(document, path).source,
    env,
    missing,
    isWhole,
    mounts,
    references,
  }
}

/** Kubernetes' order: each `envFrom` over the one before it, `env` over all of them. */
function resolveEnv(container: JsonObject, { resource, path, keyedTexts }: ContainerPlace) {
  const { source } = resource.document
  const env = new Map<string, Variable>()
  const missing: MissingVariable[] = []
  const references: string[] = []
  let isWhole = true
  const textsNamed = ({ kind, name }: Reference) => {
    references.push(`${kind} ${name}`)
    const found = keyedTexts.find(
      (it) => it.kind === kind && it.name === name && isSameNamespace(it.namespace, resource.namespace),
    )
    isWhole &&= found !== undefined
    return found?.texts
  }

  for (const [index, entry] of objectsOf(container['envFrom']).entries()) {
    const reference = referenceOf(entry, 'Ref')
    if (!reference) continue
    const found = textsNamed(reference)
    const place = { source, path: [...path, 'envFrom', index] }
    if (!found && !reference.isOptional) missing.push({ wanted: `${reference.kind} ${reference.name}`, ...place })
    for (const [key, text] of found ?? []) env.set(`${entry['prefix'] ?? ''}${key}`, variableOf(text))
  }
  for (const [index, entry] of objectsOf(container['env']).entries()) {
    const name = String(entry['name'] ?? '')
    const place = { source, path: [...path, 'env', index] }
    const reference = referenceOf(objectOf(entry['valueFrom']), 'KeyRef')
    if (!reference) {
      // the downward API (`fieldRef`) says nothing about sign-in
      if (!entry['valueFrom']) env.set(name, { value: expanded(String(entry['value'] ?? ''), env), ...place })
      continue
    }
    const text = textsNamed(reference)?.get(reference.key)
    if (text) env.set(name, variableOf(text))
    else if (!reference.isOptional) {
      missing.push({ name, wanted: `${reference.kind} ${reference.name}, key ${reference.key}`, ...place })
    }
  }
  return { env, missing, isWhole, references }
}

interface Reference {
  readonly kind: KeyedTexts['kind']
  readonly name: string
  readonly key: string
  readonly isOptional: boolean
}

function referenceOf(entry: JsonObject, suffix: 'Ref' | 'KeyRef'): Reference | undefined {
  const kind = entry[`configMap${suffix}`] ? 'ConfigMap' : entry[`secret${suffix}`] ? 'Secret' : undefined
  if (!kind) return undefined
  const { name, key, optional } = objectOf(entry[kind === 'ConfigMap' ? `configMap${suffix}` : `secret${suffix}`])
  return { kind, name: String(name ?? ''), key: String(key ?? ''), isOptional: optional === true }
}

function variableOf(text: SourceText): Variable {
  const source = { file: text.file, position: () => text.locate({ line: 1, column: 1 }) }
  return { value: text.text, source, path: [] }
}

/** `$(NAME)` of a variable defined before; `$$(NAME)` and unknown names stay (Kubernetes `EnvVar.value`). */
function expanded(text: string, env: ReadonlyMap<string, Variable>): string {
  return text.replace(/\$?\$\(([^)]+)\)/g, (written, name: string) =>
    written.startsWith('$$') ? written.slice(1) : (env.get(name)?.value ?? written),
  )
}
