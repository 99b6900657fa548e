import { createHash } from 'node:crypto'
import { rules } from '../index.ts'
import type { Finding, Rule } from '../rule.ts'
import type { LintReport } from './report.ts'

/** SARIF 2.1.0 (OASIS), which code scanning of GitHub, GitLab and Azure reads. Every rule is described in it. */
export function formatSarif({ findings }: LintReport, { version }: { readonly version: string }): string {
  const document = {
    $schema: 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'gatehouse check', semanticVersion: version, rules: rules.map(describe) } },
        columnKind: 'utf16CodeUnits',
        results: findings.map(resultOf),
      },
    ],
  }
  return `${JSON.stringify(document, null, 2)}\n`
}

function describe({ id, title, why, remedy, severity }: Rule) {
  return {
    id,
    shortDescription: { text: title },
    fullDescription: { text: why },
    help: { text: `${why}\n\n${remedy}`, markdown: `${why}\n\n**Fix.** ${remedy}` },
    defaultConfiguration: { level: severity },
  }
}

function resultOf({ rule, severity, message, fix, place: { file, line, column, path } }: Finding) {
  const region = line === undefined ? {} : { region: { startLine: line, startColumn: column ?? 1 } }
  return {
    ruleId: rule,
    ruleIndex: rules.findIndex(({ id }) => id === rule),
    level: severity,
    message: { text: fix === undefined ? message : `${message}; ${fix}` },
    locations: [
      {
        physicalLocation: { artifactLocation: { uri: uriOf(file) }, ...region },
        ...(path === '' ? {} : { logicalLocations: [{ fullyQualifiedName: path }] }),
      },
    ],
    // the same finding keeps its identity when lines above it come and go
    partialFingerprints: {
      'gatehouse/v1': createHash('sha256')
        .update(JSON.stringify([rule, file, path]))
        .digest('hex'),
    },
  }
}

/** A relative reference (RFC 3986 §4.2), as SARIF wants it. */
function uriOf(file: string): string {
  return file.replaceAll('\\', '/').replace(/^\.\//, '').split('/').map(encodeURIComponent).join('/')
}
