import { namedSource, Problems } from '../kit/problems.ts'
import type { Adapting } from './adapt.ts'
import { agreeOnProxyClient } from './agree-on-proxy-client.ts'
import { agreeOnRealmClients } from './agree-on-realm-clients.ts'
import { buildChain, inOrder, type LoadedChain } from './build-chain.ts'
import type { ChainSecrets } from './chain-secrets.ts'
import { checkPlaceholderSecrets } from './checks/placeholder-secrets.ts'
import { demoApps } from './default-chain.ts'
import { findHosts } from './find-hosts.ts'
import { findOriginals } from './find-originals.ts'
import { fitProxy } from './fit-proxy.ts'
import { inventSecrets } from './invent-secrets.ts'
import { readManifests } from './manifests.ts'
import { withMissingParts } from './missing-parts.ts'
import type { Originals } from './originals.ts'
import { readTree } from './read-tree.ts'
import { findReplacements, replaceAddresses } from './replacements.ts'
import { ReportBook } from './report.ts'
import type { SourceText } from './source-text.ts'
import type { AppRoute } from './stock.ts'

/** How a directory is run. */
export interface DirectoryOptions {
  /** Origin browsers use; takes the place of the platform's own. No trailing slash. */
  readonly publicUrl: string
  readonly secrets: ChainSecrets
  /** Variables the files may refer to and do not bring. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Known public secrets are a warning instead of an error. */
  readonly demo?: boolean
  /** Whether secrets that nobody sets are made up: files are judged, and nobody signs in. */
  readonly inventsSecrets?: boolean
  /** Origins of the platform that stay as they are, such as its Keycloak's; their addresses are not replaced. */
  readonly kept?: readonly string[]
  /** Apps that run beside the platform's; the echo app unless given. */
  readonly apps?: readonly AppRoute[]
}

/**
 * Reads a directory of a platform's own files, unchanged, as a chain that runs here: addresses of the platform become
 * `publicUrl`, services inside the cluster are the running parts, and what the directory lacks is filled in. Every
 * change is in the report, every mistake in the problems, with file and line.
 */
export function loadChainFromDirectory(directory: string, options: DirectoryOptions): LoadedChain {
  const problems = new Problems()
  return loadChainFromTexts(readTree(directory, problems), { ...options, directory, problems })
}

/**
 * The same for texts that were read elsewhere; `problems` has those of reading them. Without the name of a directory
 * there may be nothing in them.
 */
export function loadChainFromTexts(
  texts: readonly SourceText[],
  { directory, problems, ...options }: DirectoryOptions & { readonly directory?: string; readonly problems: Problems },
): LoadedChain {
  const report = new ReportBook()
  const { publicUrl, secrets, env, kept, apps = demoApps.filter(({ name }) => name === 'echo') } = options
  const adapting: Adapting = { publicUrl, secrets, apps, problems, report }
  const manifests = readManifests(texts, { problems, report })
  const found = findOriginals(manifests, { env, problems, report })
  if (directory !== undefined && isEmpty(found) && !problems.hasErrors) {
    problems.error(
      namedSource(directory),
      [],
      'no configuration of Dex, oauth2-proxy, Istio, Keycloak or oidc-authservice',
      'name a directory that has one',
    )
  }
  const replacements = findReplacements(found, { publicUrl, kept, problems })
  const { demo = false, inventsSecrets = false } = options
  const adapted = adaptOriginals(replaceAddresses(found, replacements, report), adapting)
  const originals = inventsSecrets ? inventSecrets(adapted) : adapted
  // those a demo has filled in are gone
  checkPlaceholderSecrets(demo ? originals : found, { problems, demo, inventsSecrets })
  const chain = buildChain(originals, {
    adapting,
    demo,
    isRealmElsewhere: replacements.isRealmElsewhere,
    written: found,
    findHosts: (gateway) => findHosts(originals, gateway, adapting),
  })
  return { chain: problems.hasErrors ? undefined : chain, problems: inOrder(problems.list), report }
}

function isEmpty({ dex, proxy, authservice, realms, istio, meshConfigs }: Originals): boolean {
  return !dex && !proxy && !authservice && realms.length + istio.length + meshConfigs.length === 0
}

function adaptOriginals(originals: Originals, adapting: Adapting): Originals {
  const whole = withMissingParts(originals, adapting)
  return agreeOnRealmClients(fitProxy(agreeOnProxyClient(whole, adapting), adapting), adapting)
}
