import type { LintReport } from './report.ts'

const commands = { error: 'error', warning: 'warning', note: 'notice' } as const

/** Workflow commands of GitHub Actions: each finding becomes an annotation on its line. */
export function formatGithub({ findings }: LintReport): string {
  return findings
    .map(({ rule, severity, message, fix, place: { file, line, column } }) => {
      const properties = Object.entries({ file, line, col: column, title: rule })
        .filter(([, value]) => value !== undefined)
        .map(([name, value]) => `${name}=${escapeProperty(String(value))}`)
      const text = fix === undefined ? message : `${message}; ${fix}`
      return `::${commands[severity]} ${properties.join(',')}::${escapeText(text)}\n`
    })
    .join('')
}

const escapeText = (text: string): string => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
const escapeProperty = (text: string): string => escapeText(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
