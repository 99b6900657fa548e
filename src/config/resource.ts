import type { DocumentPath } from '../kit/problems.ts'
import type { YamlDocument } from './yaml-source.ts'

/** A Kubernetes object, `List`s taken apart. */
export interface Resource {
  readonly kind: string
  readonly apiVersion: string
  /** Empty where the manifest names none (kustomize sets it later). */
  readonly namespace: string
  readonly name: string
  readonly document: YamlDocument
}

/** `ConfigMap auth/dex` */
export function titleOf({ kind, namespace, name }: Pick<Resource, 'kind' | 'namespace' | 'name'>): string {
  return `${kind} ${[namespace, name].filter(Boolean).join('/')}`.trim()
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
