import { fileText } from '../config/source-text.ts'
import { readWrittenChain } from '../config/written-chain.ts'
import { parseGatewayConfig } from '../gateway/config.ts'
import { lint } from '../insight/lint/lint.ts'
import type { Finding } from '../insight/lint/rule.ts'
import { namedSource, Problems } from '../kit/problems.ts'

/** Files to check: their names and texts. */
export type CheckedFiles = ReadonlyMap<string, string>

/** Reads the files as one chain and tells everything that is wrong with them; `problems` are those of reading them. */
export function checkFiles(
  files: CheckedFiles,
  { env, problems = new Problems() }: { env: Readonly<Record<string, string | undefined>>; problems?: Problems },
): Finding[] {
  const texts = [...files].map(([name, text]) => fileText(name, text))
  const all = new Problems([...problems.list])
  const chain = readWrittenChain(texts, { env, problems: all })
  if (chain.isEmpty && !all.hasErrors) {
    const message = 'nothing of Dex, oauth2-proxy, Istio, Keycloak or oidc-authservice in these files'
    all.error(namedSource(texts[0]?.file ?? 'gatehouse'), [], message, 'name the files of a sign-in chain')
  }
  const gateway = parseGatewayConfig([...chain.istio, ...chain.meshConfigs], new Problems())
  return lint({ ...chain, problems: all.list, gateway })
}
