import type { SourceDocument } from '../kit/problems.ts'
import type { Environment } from './environment.ts'

/** A configuration of an original: its file, placeholders filled, and the variables of the container that reads it. */
export interface Original {
  readonly document: SourceDocument
  /** Keys of it that nobody wrote. */
  readonly filledIn?: readonly string[]
  readonly environment: Environment
}

/** oauth2-proxy's TOML file (it may have none) and its variables, its flags among them. */
export interface ProxyOriginal {
  readonly document: SourceDocument | undefined
  readonly environment: Environment
}

/** The originals' configurations found in a directory. */
export interface Originals {
  readonly dex: Original | undefined
  readonly proxy: ProxyOriginal | undefined
  readonly authservice: Environment | undefined
  readonly realms: readonly SourceDocument[]
  /** Istio's request security and routing, one resource each. */
  readonly istio: readonly SourceDocument[]
  readonly meshConfigs: readonly SourceDocument[]
}
