import type { SourceDocument } from '../kit/problems.ts'
import { type Candidate, findCandidates, onlyOne, positionOfStart } from './candidates.ts'
import { parseEnvText } from './env-source.ts'
import { type Environment, environmentOf, type SharedVariables } from './environment.ts'
import { objectOf } from './json-values.ts'
import type { KeyedTexts } from './keyed-texts.ts'
import type { Manifests, Reading } from './manifests.ts'
import type { Original, Originals, ProxyOriginal } from './originals.ts'
import { fillPlaceholders, fillTemplate } from './placeholders.ts'
import { withFlags } from './proxy-settings.ts'
import { titleOf, within } from './resource.ts'
import { parseToml } from './toml-source.ts'
import { type Container, containersOf, isSameNamespace, type Variable } from './workloads.ts'
import { parseYaml, type YamlDocument } from './yaml-source.ts'

interface Finding extends Reading {
  readonly candidates: readonly Candidate[]
  readonly containers: readonly Container[]
  readonly shared: SharedVariables
  readonly keyedTexts: readonly KeyedTexts[]
}

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
  const originals: Originals = {
    dex: findDex(finding, used),
    proxy: findProxy(finding, used),
    authservice: findAuthservice(finding, used),
    realms: findRealms(manifests, finding),
    istio: findIstio(manifests, finding),
    meshConfigs: findMeshConfigs(manifests, finding),
  }
  tellWorkloads(finding, { used, candidates })
  return originals
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
  tellHonoured(found, finding)
  return { document: fillPlaceholders(document, { values: environment.values, problems }), environment }
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
  if (found) tellHonoured(found, finding)
  return { document: document && fillPlaceholders(document, { values: environment.values, problems }), environment }
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

function findRealms(manifests: Manifests, finding: Finding): YamlDocument[] {
  const { candidates, problems, report, shared } = finding
  const fromTexts = candidates
    .filter(({ kind }) => kind === 'realm')
    .flatMap((candidate) => {
      const document = parseYaml(candidate.text, problems)
      if (document) tellHonoured(candidate, finding)
      if (!Array.isArray(document?.value)) return document ? [document] : []
      return document.value.map((_, index) => within(document, [index]))
    })
  const imported = manifests.resources
    .filter(({ kind }) => kind === 'KeycloakRealmImport')
    .map((resource) => {
      const { document } = resource
      report.at('honoured', document.source, [], titleOf(resource))
      return within(document, ['spec', 'realm'])
    })
  return [...fromTexts, ...imported].map((document) => fillPlaceholders(document, { values: shared.process, problems }))
}

const istioKinds: ReadonlySet<string> = new Set([
  'AuthorizationPolicy',
  'RequestAuthentication',
  'VirtualService',
  'Gateway',
])

function findIstio({ resources }: Manifests, { report, problems, shared }: Finding): YamlDocument[] {
  return resources
    .filter(({ kind }) => istioKinds.has(kind))
    .flatMap((resource) => {
      const { apiVersion, document } = resource
      const title = titleOf(resource)
      if (!/^(?:security|networking)\.istio\.io\//.test(apiVersion)) {
        report.at('ignored', document.source, [], title, { why: `of ${apiVersion}, not of Istio` })
        return []
      }
      report.at('honoured', document.source, [], title)
      return [fillPlaceholders(document, { values: shared.process, problems })]
    })
}

function findMeshConfigs(manifests: Manifests, finding: Finding): SourceDocument[] {
  const { candidates, problems, report } = finding
  const fromTexts = candidates
    .filter(({ kind }) => kind === 'mesh')
    .flatMap((candidate) => {
      const document = parseYaml(candidate.text, problems)
      if (document) tellHonoured(candidate, finding)
      return document ? [document] : []
    })
  const operators = manifests.resources
    .filter(
      ({ kind, document }) => kind === 'IstioOperator' && objectOf(objectOf(document.value)['spec'])['meshConfig'],
    )
    .map(({ document }) => {
      report.at('honoured', document.source, ['spec', 'meshConfig'], 'Istio mesh configuration (IstioOperator)')
      return within(document, ['spec', 'meshConfig'])
    })
  return [...fromTexts, ...operators]
}

function tellHonoured({ text, title }: Candidate, { report }: Finding): void {
  report.at('honoured', { file: text.file, position: () => positionOfStart(text) }, [], title)
}

/** Which workloads and ConfigMaps were of use, and which Secrets a used workload wants that are not there. */
function tellWorkloads(
  { containers, keyedTexts, shared, report, problems }: Finding,
  { used, candidates }: { used: ReadonlySet<Container>; candidates: readonly Candidate[] },
): void {
  for (const container of containers) {
    const { workload, name, source } = container
    if (used.has(container)) report.at('honoured', source, [], `variables of ${workload}, container ${name}`)
    else report.at('ignored', source, [], `${workload}, container ${name}`, { why: 'not a part of the sign-in chain' })
  }
  for (const keyed of keyedTexts) {
    const reader = [...used].find(({ references }) => references.includes(`${keyed.kind} ${keyed.name}`))
    const isCandidate = candidates.some(({ owner }) => owner === keyed)
    const [text] = keyed.texts.values()
    if (!text || isCandidate) continue
    const source = { file: text.file, position: () => text.locate({ line: 1, column: 1 }) }
    const title = titleOf(keyed)
    if (reader) report.at('honoured', source, [], title, { why: `variables of ${reader.workload}` })
    else report.at('ignored', source, [], title, { why: 'nothing of the sign-in chain reads it' })
  }
  for (const { missing } of used) {
    for (const { name, wanted, source, path } of missing) {
      if (name !== undefined && (shared.files.has(name) || shared.process[name])) continue
      const what = name === undefined ? wanted : `${wanted} (for ${name})`
      problems.warn(source, path, `${what} is not among the files`, 'add its manifest, or set the variable')
    }
  }
}
