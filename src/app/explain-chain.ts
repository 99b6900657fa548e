import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import type { ChainConfig } from '../config/chain.ts'
import type { ChainSecrets } from '../config/chain-secrets.ts'
import { defaultChain, demoApps } from '../config/default-chain.ts'
import { loadChainFromDirectory } from '../config/from-directory.ts'
import { loadGatehouseYaml } from '../config/gatehouse-yaml.ts'
import { ConfigError } from '../kit/problems.ts'
import { type Random, randomText } from '../kit/random.ts'
import { openDataDirectory } from './data-directory.ts'
import type { ChainSource } from './plan-chain.ts'

/** Which configuration a request is explained against. */
export interface ExplainedChain {
  readonly source: ChainSource
  /** The origin browsers use; a `gatehouse.yaml` says its own. */
  readonly publicUrl: string
  /** The data directory, where there is one: its secrets open real sessions. */
  readonly dataDirectory: string
  readonly random: Random
}

/**
 * Reads a chain's configuration without starting or making anything.
 * @throws ConfigError with every problem.
 */
export function readChain({ source, publicUrl, dataDirectory, random }: ExplainedChain): ChainConfig {
  if (source.kind === 'file') {
    const secretsOf = (directory: string) => secretsAt(directory, random)
    const { chain, problems } = loadGatehouseYaml(source.path, { env: process.env, secretsOf })
    return chain ?? refuse(problems)
  }
  const secrets = secretsAt(dataDirectory, random)
  if (source.kind === 'default') return defaultChain({ publicUrl, secrets, apps: demoApps })
  const options = { publicUrl, secrets, env: process.env, demo: true, inventsSecrets: true }
  const { chain, problems } = loadChainFromDirectory(source.path, options)
  return chain ?? refuse(problems)
}

/** What a name on the command line is: a directory of a platform's files, or a `gatehouse.yaml`. */
export function sourceAt(path: string): ChainSource {
  const isFile = statSync(path, { throwIfNoEntry: false })?.isFile() === true
  return { kind: isFile ? 'file' : 'directory', path }
}

function refuse(problems: ConstructorParameters<typeof ConfigError>[0]): never {
  throw new ConfigError(problems)
}

/** Secrets of a chain that has run here; else some that are good for this explanation only. */
function secretsAt(directory: string, random: Random): ChainSecrets {
  if (existsSync(join(directory, 'secrets.json'))) return openDataDirectory(directory, { random }).secrets
  return { state: randomText(random), cookie: randomText(random), clients: {} }
}
