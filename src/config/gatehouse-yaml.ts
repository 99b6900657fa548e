import { dirname, join, resolve } from 'node:path'
import type { GatewayConfig } from '../gateway/config.ts'
import {
  type DocumentPath,
  formatPath,
  namedSource,
  type Problem,
  Problems,
  type SourceDocument,
} from '../kit/problems.ts'
import { parseWith } from '../kit/schema.ts'
import type { Adapting } from './adapt.ts'
import { agreeOnProxyClient } from './agree-on-proxy-client.ts'
import { agreeOnRealmClients } from './agree-on-realm-clients.ts'
import { buildChain, inOrder, type LoadedChain } from './build-chain.ts'
import type { ChainSecrets } from './chain-secrets.ts'
import { checkApps } from './checks/apps.ts'
import { checkPlaceholderSecrets } from './checks/placeholder-secrets.ts'
import { fitProxy } from './fit-proxy.ts'
import { type GatehouseYaml, gatehouseYamlSchema } from './gatehouse-yaml-schema.ts'
import { hostsOf } from './host-map.ts'
import { objectOf, textsOf } from './json-values.ts'
import type { Originals } from './originals.ts'
import { fillPlaceholders } from './placeholders.ts'
import { readTextFile } from './read-tree.ts'
import { ReportBook } from './report.ts'
import { readSections } from './sections.ts'
import { type AppRoute, partHosts } from './stock.ts'
import { parseYaml } from './yaml-source.ts'

/** What `gatehouse.yaml` is read with. */
export interface GatehouseYamlOptions {
  /** Makes the secrets the file leaves open, once its data directory is known. */
  secretsOf(dataDirectory: string): ChainSecrets
  readonly env: Readonly<Record<string, string | undefined>>
}

/** A chain read from `gatehouse.yaml`, and the directory of its state. */
export interface LoadedGatehouseYaml extends LoadedChain {
  readonly dataDirectory: string | undefined
  /** Its sections and the files it names, laid over the default chain, before anything was adapted. */
  readonly written: Originals | undefined
  /** The gateway as it runs, also where another part has an error. */
  readonly gateway: GatewayConfig | undefined
  /** Every file and directory it names. */
  readonly names: readonly string[]
}

/** Reads `gatehouse.yaml` and the files it names. Every problem is told with file and line. */
export function loadGatehouseYaml(path: string, { env, secretsOf }: GatehouseYamlOptions): LoadedGatehouseYaml {
  const problems = new Problems()
  const report = new ReportBook()
  const text = readTextFile(path, { problems })
  const parsed = text && parseYaml(text, problems)
  const document = parsed && fillPlaceholders(parsed, { values: env, problems })
  if (text && !parsed && !problems.hasErrors) {
    problems.error(namedSource(path), [], 'says nothing', 'write at least `publicUrl: http://localhost:8080`')
  }
  const settings = document && parseWith(gatehouseYamlSchema, document.value, { source: document.source, problems })
  if (!document || !settings)
    return {
      ...{ chain: undefined, written: undefined, gateway: undefined, dataDirectory: undefined },
      ...{ problems: inOrder(problems.list), report, names: [] },
    }

  const folder = dirname(path)
  const dataDirectory = resolve(folder, settings.data)
  const apps = settings.apps.map(appRoute)
  checkAppSecrets(document, { settings, problems })
  const adapting: Adapting = {
    publicUrl: settings.publicUrl,
    secrets: withAppSecrets(secretsOf(dataDirectory), settings),
    apps,
    problems,
    report,
  }
  checkApps(document, { settings, problems })
  const read = readSections(document, { settings, folder, env, adapting })
  checkPlaceholderSecrets(read, { problems, demo: false })
  const originals = agreeOnRealmClients(fitProxy(agreeOnProxyClient(read, adapting), adapting), adapting)
  const chain = buildChain(originals, {
    adapting,
    demo: false,
    isRealmElsewhere: false,
    written: read,
    findHosts: () => hostsOf(apps),
  })
  const told = inOrder(problems.list).map((problem) => withSection(problem, document))
  return {
    chain: problems.hasErrors ? undefined : { ...chain, gatewayMode: settings.gateway.mode },
    ...{ problems: told, report, dataDirectory, written: read },
    gateway: chain.gateway,
    names: namesIn(settings).map((name) => join(folder, name)),
  }
}

function namesIn({ realm, broker, proxy, gateway }: GatehouseYaml): string[] {
  const sections = [realm, broker, proxy].flat().map((section) => objectOf(section)['from'])
  return [...textsOf(sections), ...gateway.files]
}

/** Parts tell paths inside their section; of gatehouse.yaml the section is told, too: `broker.connectors[0].type`. */
function withSection(problem: Problem, { value, source }: SourceDocument): Problem {
  if (problem.file !== source.file || problem.line === undefined) return problem
  const { line } = problem
  const realms = objectOf(value)['realm']
  const sections: DocumentPath[] = [
    ...Object.keys(objectOf(value)).map((key) => [key]),
    ...(Array.isArray(realms) ? realms.map((_, index) => ['realm', index]) : []),
  ]
  const around = sections
    .map((path) => ({ path, start: source.position(path)?.line ?? 0 }))
    .filter(({ start }) => start <= line)
    .sort((a, b) => a.start - b.start)
    .at(-1)
  if (!around || !['realm', 'broker', 'proxy'].includes(String(around.path[0]))) return problem
  const section = formatPath(around.path)
  if (problem.path === section || problem.path.startsWith(`${section}.`)) return problem
  return { ...problem, path: [section, problem.path].filter(Boolean).join('.') }
}

/** An app and its client in the default realm have one secret; only the demo apps are told a made-up one. */
function checkAppSecrets(
  { source }: SourceDocument,
  { settings, problems }: { settings: GatehouseYaml; problems: Problems },
): void {
  for (const [index, { clientId, clientSecret, host }] of settings.apps.entries()) {
    const path = ['apps', index, 'clientSecret']
    if (settings.realm !== undefined) {
      if (clientSecret === undefined) continue
      problems.error(source, path, 'has no effect beside `realm`', 'write the client into the realm')
    } else if (clientId !== undefined && !clientSecret && !Object.hasOwn(partHosts, host)) {
      problems.error(source, path, 'is missing', 'write the secret the app has, or `$NAME` of a variable that holds it')
    }
  }
}

function withAppSecrets(secrets: ChainSecrets, { apps }: GatehouseYaml): ChainSecrets {
  const own = apps.flatMap(({ clientId, clientSecret }) => (clientId && clientSecret ? [[clientId, clientSecret]] : []))
  return { ...secrets, clients: { ...secrets.clients, ...Object.fromEntries(own) } }
}

/** The demo apps go by their names; any other host is a service. */
function appRoute({
  host,
  exempt,
  port,
  clientId,
  clientSecret: _secret,
  backchannelLogout,
  ...app
}: GatehouseYaml['apps'][number]): AppRoute {
  const own = Object.hasOwn(partHosts, host) ? partHosts[host as keyof typeof partHosts] : host
  return {
    ...app,
    host: own,
    isExempt: exempt,
    isToldSignOuts: backchannelLogout || own === partHosts.notes,
    ...(port === undefined ? {} : { port }),
    ...(clientId === undefined ? {} : { clientId }),
  }
}
