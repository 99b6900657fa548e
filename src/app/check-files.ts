import { loadGatehouseYaml } from '../config/gatehouse-yaml.ts'
import { fileText } from '../config/source-text.ts'
import { readWrittenChain, unusedSecrets } from '../config/written-chain.ts'
import { parseGatewayConfig } from '../gateway/config.ts'
import { lint } from '../insight/lint/lint.ts'
import type { Finding } from '../insight/lint/rule.ts'
import { namedSource, type Problem, Problems } from '../kit/problems.ts'

/** Files to check: their names and texts. */
export type CheckedFiles = ReadonlyMap<string, string>

/**
 * Reads the files as one chain and tells everything that is wrong with them; `problems` are those of reading them. A
 * gatehouse.yaml is a chain of its own, read from the disk with the files it names.
 */
export function checkFiles(
  files: CheckedFiles,
  { env, problems = new Problems() }: { env: Variables; problems?: Problems },
): Finding[] {
  const own = [...files].filter(([name, text]) => isGatehouseYaml(name, text)).map(([name]) => name)
  const texts = [...files].filter(([name]) => !own.includes(name)).map(([name, text]) => fileText(name, text))
  const all = new Problems([...problems.list, ...own.flatMap((path) => problemsOf(path, env))])
  const chain = readWrittenChain(texts, { env, problems: all })
  if (chain.isEmpty && own.length === 0 && !all.hasErrors) {
    const message = 'nothing of Dex, oauth2-proxy, Istio, Keycloak or oidc-authservice in these files'
    all.error(namedSource(texts[0]?.file ?? 'gatehouse'), [], message, 'name the files of a sign-in chain')
  }
  const gateway = parseGatewayConfig([...chain.istio, ...chain.meshConfigs], new Problems())
  return lint({ ...chain, problems: all.list, gateway })
}

type Variables = Readonly<Record<string, string | undefined>>

const isGatehouseYaml = (name: string, text: string): boolean =>
  /(?:^|[/\\])gatehouse\.ya?ml$/.test(name) && /^publicUrl[ \t]*:/m.test(text)

function problemsOf(path: string, env: Variables): readonly Problem[] {
  return loadGatehouseYaml(path, { env, secretsOf: () => unusedSecrets }).problems
}
