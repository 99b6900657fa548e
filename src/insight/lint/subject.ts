import type { GatewayConfig } from '../../gateway/config.ts'
import type { DocumentPath, Problem, Source, SourceDocument } from '../../kit/problems.ts'

/** A value as it was written, with its place. */
export interface Written {
  readonly value: unknown
  readonly source: Source
  readonly path: DocumentPath
}

/** Everything a rule may look at: the files of one chain, as they were written. */
export interface Subject {
  /** What loading the files told. */
  readonly problems: readonly Problem[]
  /** The Istio resources, parsed. */
  readonly gateway: GatewayConfig
  /** The same, as documents. */
  readonly istio: readonly SourceDocument[]
  readonly meshConfigs: readonly SourceDocument[]
  readonly dex: SourceDocument | undefined
  readonly realms: readonly SourceDocument[]
  readonly hasProxy: boolean
  /** A setting of oauth2-proxy by its key; `undefined` where it is not set. */
  proxySetting(key: string): Written | undefined
  /** Environment variables of every container, `.env` file and ConfigMap. */
  readonly variables: readonly (Written & { readonly name: string })[]
  /** Labels of the pods that the workloads among the files make. */
  readonly podLabels: readonly Readonly<Record<string, unknown>>[]
}
