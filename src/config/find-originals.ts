import { type Candidate, findCandidates, onlyOne, positionOfStart, tellHonoured } from './candidates.ts'
import { parseEnvText } from './env-source.ts'
import { type Environment, environmentOf } from './environment.ts'
import { findIstio, findMeshConfigs, findRealms } from './find-resources.ts'
import type { Finding } from './finding.ts'
import type { Manifests, Reading } from './manifests.ts'
import type { Original, Originals, ProxyOriginal } from './originals.ts'
import { fillPlaceholders, fillTemplate } from './placeholders.ts'
import { withFlags } from './proxy-settings.ts'
import type { ReportBook } from './report.ts'
import { tellWorkloads } from './tell-workloads.ts'
import { parseToml } from './toml-source.ts'
import { type Container, containersOf, isSameNamespace, type Variable } from './workloads.ts'
import { parseYaml } from './yaml-source.ts'

/** Finds what each original would read, and tells the report what nobody reads. */
export function findOriginals(
  manifests: Manifests,
  { env, problems, report }: Reading & { env: Readonly<Record<string, string | undefined>> },
): Originals {
  const { candidates, others } = findCandidates(manifests)
  for (const text of others) {
    report.at('ignored', { file: text.file, position: () => positionOfStart(text) }, [], 'this text', {
      why: 'neither a manifest nor a configuration of Dex, oauth2-proxy, Istio, Keycloak or oidc-authservice',
    })
  }
  const finding: Finding = {
    problems,
    report,
    candidates,
    containers: containersOf(manifests),
    shared: { process: env, files: plainVariables(candidates, { problems, report }) },
    keyedTexts: manifests.keyedTexts,
  }
  const used = new Set<Container>()
  const proxy = findProxy(finding, used)
  const originals: Originals = {
    dex: findDex(finding, used),
    proxy,
    authservice: onlyWithout(proxy, findAuthservice(finding, used), report),
    realms: findRealms(manifests, finding),
    istio: findIstio(manifests, finding),
    meshConfigs: findMeshConfigs(manifests, finding),
  }
  tellWorkloads(finding, used)
  return originals
}

/** Only one program stands in front of the apps; where both are there, it is the newer one. */
function onlyWithout(
  proxy: ProxyOriginal | undefined,
  authservice: Environment | undefined,
  report: ReportBook,
): Environment | undefined {
  const place = authservice?.placeOf('OIDC_PROVIDER')
  if (!proxy || !place) return authservice
  report.at('ignored', place.source, place.path, 'oidc-authservice', { why: 'oauth2-proxy is there, too' })
  return undefined
}

function plainVariables(candidates: readonly Candidate[], { problems, report }: Reading): Map<string, Variable> {
  const variables = new Map<string, Variable>()
  for (const { text } of candidates.filter(({ kind }) => kind === 'variables')) {
    const { value, source } = parseEnvText(text, problems)
    for (const [name, variable] of Object.entries(value)) variables.set(name, { value: variable, source, path: [name] })
    report.file('honoured', text.file, `${Object.keys(value).length} variables`)
  }
  return variables
}

function findDex(finding: Finding, used: Set<Container>): Original | undefined {
  const { candidates, shared, problems } = finding
  const found = onlyOne(
    candidates.filter(({ kind }) => kind === 'dex'),
    problems,
  )
  const container =
    found && containerOf(finding, found, ({ image, name }) => /(?:^|\/)dex[:@]|\/dex$/.test(image) || name === 'dex')
  if (!found) return undefined
  if (container) used.add(container)
  const environment = environmentOf(container, shared)
  const text = fillTemplate(found.text, { values: environment.values, problems })
  const document = parseYaml(text, problems)
  if (!document) return undefined
  tellHonoured(found, finding.report)
  return {
    document: fillPlaceholders(document, { values: environment.values, problems, generatesSecrets: true }),
    environment,
  }
}

const isProxyContainer = ({ image, env }: Container): boolean =>
  image.includes('oauth2-proxy') || [...env.keys()].some((name) => name.startsWith('OAUTH2_PROXY_'))

function findProxy(finding: Finding, used: Set<Container>): ProxyOriginal | undefined {
  const { candidates, shared, problems, containers } = finding
  const found = onlyOne(
    candidates.filter(({ kind }) => kind === 'proxy'),
    problems,
  )
  const container = found ? containerOf(finding, found, isProxyContainer) : containers.find(isProxyContainer)
  const hasVariables = [...shared.files.keys()].some((name) => name.startsWith('OAUTH2_PROXY_'))
  if (!found && !container && !hasVariables) return undefined
  if (container) used.add(container)
  const environment = withFlags(environmentOf(container, shared), { container, problems })
  const document = found && parseToml(found.text, problems)
  if (found && !document) return undefined
  if (found) tellHonoured(found, finding.report)
  return {
    document: document && fillPlaceholders(document, { values: environment.values, problems, generatesSecrets: true }),
    environment,
  }
}

function findAuthservice(finding: Finding, used: Set<Container>): Environment | undefined {
  const { containers, shared, keyedTexts } = finding
  const container =
    containers.find(({ env }) => env.has('OIDC_PROVIDER')) ??
    containers.find(({ image }) => image.includes('oidc-authservice'))
  if (container) used.add(container)
  const loose = new Map(shared.files)
  for (const { texts } of container ? [] : keyedTexts) {
    if (!texts.has('OIDC_PROVIDER') && !(texts.has('CLIENT_ID') && texts.has('CLIENT_SECRET'))) continue
    for (const [name, text] of texts) {
      const source = { file: text.file, position: () => text.locate({ line: 1, column: 1 }) }
      loose.set(name, { value: text.text, source, path: [] })
    }
  }
  // the process environment stays out: `PORT` or `CLIENT_ID` of the shell that starts Gatehouse mean something else
  const environment = environmentOf(container, { process: {}, files: loose })
  return environment.values['OIDC_PROVIDER'] === undefined ? undefined : environment
}

/** The container that mounts the ConfigMap of a configuration, or else one that looks like its program. */
function containerOf(
  { containers }: Finding,
  { owner }: Candidate,
  looksRight: (container: Container) => boolean,
): Container | undefined {
  const near = owner ? containers.filter(({ namespace }) => isSameNamespace(namespace, owner.namespace)) : containers
  const mounting = near.filter(({ mounts }) => owner !== undefined && mounts.includes(owner.name))
  return mounting.find(looksRight) ?? mounting[0] ?? near.find(looksRight)
}
