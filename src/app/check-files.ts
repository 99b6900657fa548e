import { resolve, sep } from 'node:path'
import { type LoadedGatehouseYaml, loadGatehouseYaml } from '../config/gatehouse-yaml.ts'
import { isOurs } from '../config/report.ts'
import { fileText } from '../config/source-text.ts'
import { asWritten, readWrittenChain, unusedSecrets } from '../config/written-chain.ts'
import { parseGatewayConfig } from '../gateway/config.ts'
import { rules } from '../insight/lint/index.ts'
import { lint } from '../insight/lint/lint.ts'
import type { Finding } from '../insight/lint/rule.ts'
import { namedSource, Problems } from '../kit/problems.ts'

/** Files to check: their names and texts. */
export type CheckedFiles = ReadonlyMap<string, string>

/**
 * Reads the files as one chain and tells everything that is wrong with them; `problems` are those of reading them. A
 * gatehouse.yaml is a chain of its own, read from the disk with the files it names: these belong to no other.
 */
export function checkFiles(
  files: CheckedFiles,
  { env, problems = new Problems() }: { env: Variables; problems?: Problems },
): Finding[] {
  const paths = [...files]
    .filter(([name, text]) => isGatehouseYaml(text) && (files.size === 1 || isCalledSo(name)))
    .map(([name]) => name)
  const own = paths.map((path) => loadGatehouseYaml(path, { env, secretsOf: () => unusedSecrets }))
  const isRead = isBelow([...paths, ...own.flatMap(({ names }) => names)])
  const texts = [...files].filter(([name]) => !isRead(name)).map(([name, text]) => fileText(name, text))
  const all = new Problems([...problems.list])
  const chain = readWrittenChain(texts, { env, problems: all })
  if (chain.isEmpty && own.length === 0 && !all.hasErrors) {
    const message = 'nothing of Dex, oauth2-proxy, Istio, Keycloak or oidc-authservice in these files'
    all.error(namedSource(texts[0]?.file ?? 'gatehouse'), [], message, 'name the files of a sign-in chain')
  }
  const gateway = parseGatewayConfig([...chain.istio, ...chain.meshConfigs], new Problems())
  return [...own.flatMap(findingsOf), ...lint({ ...chain, problems: all.list, gateway })]
}

/** What is wrong with a gatehouse.yaml and its files; the default chain, which fills in the rest, is not its matter. */
function findingsOf({ written, gateway, problems, chain }: LoadedGatehouseYaml): Finding[] {
  const none = { dex: undefined, proxy: undefined, authservice: undefined, realms: [], istio: [], meshConfigs: [] }
  const subject = {
    ...asWritten(written ?? none),
    problems,
    gateway: gateway ?? parseGatewayConfig([], new Problems()),
    variables: [],
    podLabels: [],
  }
  const isOurGateway = chain?.gatewayMode !== 'istio'
  return lint(subject).filter(({ place, rule }) => !isOurs(place) && !(isOurGateway && rulesOfIstio.has(rule)))
}

const rulesOfIstio = new Set(rules.filter(({ isOfIstio }) => isOfIstio).map(({ id }) => id))

type Variables = Readonly<Record<string, string | undefined>>

/** Other programs have a `publicUrl`, too: among other files it goes by its name. */
const isGatehouseYaml = (text: string): boolean => /^publicUrl[ \t]*:/m.test(text)
const isCalledSo = (name: string): boolean => /(?:^|[/\\])gatehouse\.ya?ml$/.test(name)

/** Whether a file is one of these, or in one of these directories. */
function isBelow(names: readonly string[]): (name: string) => boolean {
  const paths = names.map((name) => resolve(name))
  return (name) => paths.some((path) => resolve(name) === path || resolve(name).startsWith(path + sep))
}
