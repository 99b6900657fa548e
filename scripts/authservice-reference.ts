import { fileURLToPath } from 'node:url'
import { authserviceVariables } from '../src/proxy/authservice/variables.ts'

/** What runs in place of oidc-authservice. */
export const authserviceFile = fileURLToPath(new URL('../docs/AUTHSERVICE.md', import.meta.url))

const mark = '<!-- made by `npm run docs` from src/proxy/authservice/variables.ts -->\n'

/** The whole text of docs/AUTHSERVICE.md: what is written by hand, with the table of variables at its end made anew. */
export function authservicePage(written: string): string {
  const start = written.indexOf(mark)
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  const columns = ['variable', 'generations', 'default', 'meaning', 'as a program', 'in a chain']
  const rows = Object.entries(authserviceVariables).map(([name, variable]) => {
    const { generations, fallback, meaning, ignored, ignoredInChain } = variable
    const program = ignored === undefined ? 'yes' : `**no**: ${ignored}`
    const chain = ignoredInChain === undefined ? program : `**no**: ${ignoredInChain}`
    return [`\`${name}\``, generations || 'ours', fallback && `\`${fallback}\``, ignored ? '' : meaning, program, chain]
  })
  return [
    written.slice(0, start < 0 ? undefined : start) + mark,
    ...[line(columns), line(columns.map(() => '---')), ...rows.map(line), ''],
  ].join('\n')
}
