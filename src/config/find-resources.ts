import type { SourceDocument } from '../kit/problems.ts'
import { tellHonoured } from './candidates.ts'
import type { Finding } from './finding.ts'
import { objectOf } from './json-values.ts'
import type { Manifests } from './manifests.ts'
import { fillPlaceholders } from './placeholders.ts'
import { titleOf, within } from './resource.ts'
import { parseYaml, type YamlDocument } from './yaml-source.ts'

/** Keycloak's realms: files, ConfigMap entries and KeycloakRealmImports. */
export function findRealms(manifests: Manifests, finding: Finding): YamlDocument[] {
  const { candidates, problems, report, shared } = finding
  const fromTexts = candidates
    .filter(({ kind }) => kind === 'realm')
    .flatMap((candidate) => {
      const document = parseYaml(candidate.text, problems)
      if (document) tellHonoured(candidate, report)
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
  'ServiceEntry',
])

/** Istio's resources, and the Services that say what their ports speak; placeholders filled. */
export function findIstio({ resources }: Manifests, { report, problems, shared }: Finding): YamlDocument[] {
  return resources
    .filter(({ kind, apiVersion }) => istioKinds.has(kind) || (kind === 'Service' && apiVersion === 'v1'))
    .flatMap((resource) => {
      const { apiVersion, document } = resource
      const title = titleOf(resource)
      if (!/^(?:(?:security|networking)\.istio\.io\/|v1$)/.test(apiVersion)) {
        report.at('ignored', document.source, [], title, { why: `of ${apiVersion}, not of Istio` })
        return []
      }
      report.at('honoured', document.source, [], title)
      return [fillPlaceholders(document, { values: shared.process, problems })]
    })
}

/** MeshConfigs: files, ConfigMap entries and those inside an IstioOperator. */
export function findMeshConfigs(manifests: Manifests, finding: Finding): SourceDocument[] {
  const { candidates, problems, report } = finding
  const fromTexts = candidates
    .filter(({ kind }) => kind === 'mesh')
    .flatMap((candidate) => {
      const document = parseYaml(candidate.text, problems)
      if (document) tellHonoured(candidate, report)
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
