import process from 'node:process'
import type { ChainConfig } from '../config/chain.ts'
import { defaultChain, demoApps } from '../config/default-chain.ts'
import { loadChainFromDirectory } from '../config/from-directory.ts'
import { loadGatehouseYaml } from '../config/gatehouse-yaml.ts'
import type { GatewayMode } from '../gateway/gateway-mode.ts'
import { fail } from '../kit/errors.ts'
import { ConfigError, type Problem } from '../kit/problems.ts'
import type { Random } from '../kit/random.ts'
import { type DataDirectory, openDataDirectory } from './data-directory.ts'

/** Where a chain's configuration comes from. */
export type ChainSource =
  | { readonly kind: 'default' }
  /** A directory of a platform's own files. */
  | {
      readonly kind: 'directory'
      readonly path: string
      /** Origins of the platform that go on as they are. */
      readonly kept?: readonly string[]
    }
  /** A `gatehouse.yaml`. */
  | { readonly kind: 'file'; readonly path: string }

/** A chain's configuration, and what deserves a second look in it. */
export interface PlannedChain {
  readonly chain: ChainConfig
  readonly warnings: readonly Problem[]
}

/** What is settled before the listener has its port. */
export interface ChainPlan {
  readonly data: DataDirectory
  /** The origin browsers use, where it does not follow from the port. */
  readonly publicUrl: string | undefined
  /** Whether a realm without users gets two, to try it with. */
  readonly isDemo: boolean
  /** The file or directory it is read from; `undefined` for the default chain. */
  readonly path: string | undefined
  /** Reads the files, anew each time. @throws ConfigError with every problem. */
  chainAt(publicUrl: string): PlannedChain
}

/** Reads where a chain comes from and opens its data directory. @throws ConfigError; GatehouseError `data_directory`. */
export function planChain(
  source: ChainSource,
  options: {
    readonly dataDirectory: string
    readonly publicUrl: string | undefined
    /** How the gateway decides; a `gatehouse.yaml` says so itself. */
    readonly gatewayMode?: GatewayMode | undefined
    readonly reset: boolean
    readonly random: Random
  },
): ChainPlan {
  if (source.kind === 'file') return planFile(source.path, options)
  const data = openDataDirectory(options.dataDirectory, options)
  const { secrets } = data
  const mode = options.gatewayMode ? { gatewayMode: options.gatewayMode } : {}
  return {
    data,
    path: source.kind === 'default' ? undefined : source.path,
    publicUrl: options.publicUrl,
    isDemo: true,
    chainAt(publicUrl) {
      if (source.kind === 'default')
        return { chain: { ...defaultChain({ publicUrl, secrets, apps: demoApps }), ...mode }, warnings: [] }
      const { chain, problems } = loadChainFromDirectory(source.path, {
        publicUrl,
        secrets,
        env: process.env,
        demo: true,
        ...(source.kept ? { kept: source.kept } : {}),
      })
      if (!chain) throw new ConfigError(problems)
      return { chain: { ...chain, ...mode }, warnings: problems }
    },
  }
}

/** The file names its own address and data directory. */
function planFile(path: string, { random, reset }: { random: Random; reset: boolean }): ChainPlan {
  let data: DataDirectory | undefined
  const load = (): PlannedChain => {
    const secretsOf = (directory: string) => {
      data ??= openDataDirectory(directory, { random, reset })
      return data.secrets
    }
    const { chain, problems: warnings } = loadGatehouseYaml(path, { env: process.env, secretsOf })
    if (!chain) throw new ConfigError(warnings)
    return { chain, warnings }
  }
  let first: PlannedChain | undefined = load()
  const { publicUrl } = first.chain
  return {
    data: data ?? fail('data_directory', `\`${path}\` names no data directory`),
    path,
    publicUrl,
    isDemo: false,
    chainAt() {
      const planned = first ?? load()
      first = undefined
      return planned
    },
  }
}
