import { rules } from '../index.ts'
import { type Example, mendedFiles, type Rule } from '../rule.ts'

/** The rule reference, `docs/RULES.md`. */
export function rulesMarkdown(): string {
  const rows = rules.map(
    ({ id, severity, title, edits }) => `| [\`${id}\`](#${id}) | ${severity} | ${edits ? 'yes' : ''} | ${title} |`,
  )
  return [
    '# The rules of `gatehouse check`',
    '',
    'Made from `src/insight/lint/rules/` by `npm run docs`; the examples are the rules’ own tests.',
    'How to run it: [CHECK.md](CHECK.md).',
    '',
    '| rule | severity | `--fix` | what it catches |',
    '|---|---|---|---|',
    ...rows,
    '',
    ...rules.flatMap(section),
  ].join('\n')
}

function section({ id, severity, title, why, remedy, bad, good }: Rule): string[] {
  return [
    `## ${id}`,
    '',
    `*${severity}* · ${title}`,
    '',
    `**Why.** ${why}`,
    '',
    `**Fix.** ${remedy}`,
    '',
    '<details><summary>Examples</summary>',
    '',
    'Bad:',
    '',
    ...filesOf(bad),
    'Good:',
    '',
    ...filesOf(mendedFiles({ bad, good })),
    '</details>',
    '',
  ]
}

function filesOf(files: Example): string[] {
  return Object.entries(files).flatMap(([name, text]) => [
    `\`\`\`${languageOf(name)}`,
    `# ${name}`,
    text.trimEnd(),
    '```',
    '',
  ])
}

function languageOf(name: string): string {
  return name.endsWith('.cfg') ? 'toml' : (/\.(\w+)$/.exec(name)?.[1] ?? '')
}
