import process from 'node:process'
import { type CheckedFiles, checkFiles } from '../app/check-files.ts'
import { fixFiles } from '../app/fix-files.ts'
import { unifiedDiff } from '../insight/lint/formats/diff.ts'
import { formatGithub } from '../insight/lint/formats/github.ts'
import { formatJson } from '../insight/lint/formats/json.ts'
import { rulePage } from '../insight/lint/formats/page.ts'
import { countsOf, type LintReport } from '../insight/lint/formats/report.ts'
import { formatSarif } from '../insight/lint/formats/sarif.ts'
import { formatText } from '../insight/lint/formats/text.ts'
import { rules } from '../insight/lint/index.ts'
import type { Finding, Severity } from '../insight/lint/rule.ts'
import { fail, GatehouseError } from '../kit/errors.ts'
import { nearestName, Problems } from '../kit/problems.ts'
import { readCheckedFiles, writeChangedFiles } from './check-files.ts'
import type { Command, CommandInput } from './command.ts'
import { style } from './terminal.ts'
import { productVersion } from './version.ts'

const formats: Readonly<Record<string, (report: LintReport) => string>> = {
  text: (report) => formatText(report, style),
  json: formatJson,
  sarif: (report) => formatSarif(report, { version: productVersion() }),
  github: formatGithub,
}
const severities: readonly Severity[] = ['note', 'warning', 'error']

/** `gatehouse check` */
export const check: Command = {
  usage: 'FILES…|DIR|- [--fix] [--strict] [--format FORMAT] [--severity LEVEL] [--ignore RULES] | --explain RULE',
  summary: 'find what is wrong with the files of a sign-in chain: Dex, oauth2-proxy, Istio, Keycloak, oidc-authservice',
  options: {
    fix: { type: 'boolean', help: 'mend what can be mended safely, and show what changed' },
    strict: { type: 'boolean', help: 'warnings fail, too' },
    format: { type: 'string', value: 'FORMAT', help: 'text (default), json, sarif or github' },
    severity: { type: 'string', value: 'LEVEL', help: 'tell this and worse: note (default), warning or error' },
    ignore: { type: 'string', value: 'RULES', help: 'leave these rules out, separated by commas' },
    explain: { type: 'string', value: 'RULE', help: 'show what a rule is about, with examples' },
  },
  details: [
    '  All files are read as one chain. Exit status: 0 nothing wrong, 1 errors (with --strict also warnings),',
    '  2 called wrongly. The rules: docs/RULES.md.',
  ].join('\n'),
  async run(input) {
    const { explain } = input.options
    if (typeof explain === 'string') return explainRule(explain)
    return runCheck(input, readOptions(input))
  },
}

interface CheckOptions {
  readonly format: (report: LintReport) => string
  readonly isFixing: boolean
  readonly isStrict: boolean
  isWanted(finding: Finding): boolean
}

function readOptions({ positionals, options }: CommandInput): CheckOptions {
  const { format = 'text', severity = 'note', ignore = '' } = options
  if (positionals.length === 0) {
    throw new GatehouseError('usage', 'name the files or the directory to check, or `-` for the standard input')
  }
  if (options['fix'] === true && positionals.includes('-')) {
    throw new GatehouseError('usage', '--fix changes files, so it does not go with the standard input')
  }
  const least = (severities as readonly unknown[]).indexOf(severity)
  if (least === -1)
    throw new GatehouseError('usage', `--severity must be one of ${severities.join(', ')}, got \`${severity}\``)
  const ignored = new Set(
    String(ignore)
      .split(',')
      .filter(Boolean)
      .map((id) => ruleOf(id).id),
  )
  return {
    format:
      (typeof format === 'string' && Object.hasOwn(formats, format) ? formats[format] : undefined) ??
      fail('usage', `--format must be one of ${Object.keys(formats).join(', ')}, got \`${format}\``),
    isFixing: options['fix'] === true,
    isStrict: options['strict'] === true,
    isWanted: (finding) => severities.indexOf(finding.severity) >= least && !ignored.has(finding.rule),
  }
}

function runCheck({ positionals }: CommandInput, { format, isFixing, isStrict, isWanted }: CheckOptions): number {
  const problems = new Problems()
  const files = readCheckedFiles(positionals, problems)
  const options = { env: process.env, problems }
  const { texts, findings } = isFixing
    ? fix(files, { ...options, isWanted })
    : { texts: files, findings: checkFiles(files, options) }
  const told = findings.filter(isWanted)
  process.stdout.write(format({ findings: told, texts }))
  const { errors, warnings } = countsOf(told)
  return errors > 0 || (isStrict && warnings > 0) ? 1 : 0
}

/** Mends the files; what changed goes to the standard error, so that the report stays one document. */
function fix(files: CheckedFiles, options: Parameters<typeof fixFiles>[1]) {
  const { files: texts, fixed, remaining } = fixFiles(files, options)
  const changed = writeChangedFiles(files, texts)
  for (const name of changed) {
    process.stderr.write(unifiedDiff(name, { before: files.get(name) ?? '', after: texts.get(name) ?? '' }))
  }
  if (fixed.length > 0) process.stderr.write(`mended ${fixed.length} in ${changed.join(', ')}\n`)
  return { texts, findings: remaining }
}

function explainRule(id: string): number {
  process.stdout.write(`${rulePage(ruleOf(id), style)}\n`)
  return 0
}

/** @throws GatehouseError `usage` for a rule that does not exist */
function ruleOf(id: string) {
  const known = rules.map((rule) => rule.id)
  const near = nearestName(id, known)
  const hint = near === undefined ? ` (known: ${known.join(', ')})` : `; did you mean \`${near}\`?`
  return rules.find((rule) => rule.id === id) ?? fail('usage', `unknown rule \`${id}\`${hint}`)
}
