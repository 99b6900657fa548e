import { expect, test } from 'vitest'
import { formatGithub } from '../../src/insight/lint/formats/github.ts'
import { formatJson } from '../../src/insight/lint/formats/json.ts'
import { formatSarif } from '../../src/insight/lint/formats/sarif.ts'
import { formatText } from '../../src/insight/lint/formats/text.ts'
import { rules } from '../../src/insight/lint/index.ts'
import { findingsOf, fixtureFiles } from './check-world.ts'

const plain = { bold: same, dim: same, good: same, warning: same, problem: same }
function same(text: string): string {
  return text
}

const files = {
  'policies/deny all.yaml': `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: deny, namespace: istio-system}
spec:
  action: ALLOW
  rules:
  - to:
    - operation:
        paths: ["/a*b", "*/healthz*"]
`,
}
const report = () => ({ findings: findingsOf(files), texts: new Map(Object.entries(files)) })

test('for people: the place, the line with a caret, what is wrong, why it bites and the fix', () => {
  const [first = '', ...rest] = formatText(report(), plain).split('\n\n')
  expect(first.split('\n')).toEqual([
    'policies/deny all.yaml:9:17  error stray-wildcard',
    '    9 │         paths: ["/a*b", "*/healthz*"]',
    '      │                 ^',
    '  spec.rules[0].to[0].operation.paths[0]: `/a*b` has a literal `*` in it, so it matches nothing that is sent',
    expect.stringMatching(/^ {2}why {2}Istio looks at one star only/),
    '  fix  keep one `*`, at the beginning or the end',
  ])
  expect(rest.at(-1)).toBe('2 errors\n')
})

test('files without a mistake get one line', () => {
  expect(formatText({ findings: [], texts: new Map() }, plain)).toBe('nothing to complain of\n')
})

test('JSON has every field of every finding, absent ones as null', () => {
  const document = JSON.parse(formatJson(report()))
  expect(document).toMatchObject({ version: 1, summary: { errors: 2, warnings: 0, notes: 0 } })
  expect(document.findings[0]).toEqual({
    rule: 'stray-wildcard',
    severity: 'error',
    file: 'policies/deny all.yaml',
    line: 9,
    column: 17,
    path: 'spec.rules[0].to[0].operation.paths[0]',
    message: '`/a*b` has a literal `*` in it, so it matches nothing that is sent',
    why: expect.stringContaining('literal'),
    fix: 'keep one `*`, at the beginning or the end',
    fixable: false,
    excerpt: '        paths: ["/a*b", "*/healthz*"]',
  })
})

test('SARIF describes every rule and places every result, as version 2.1.0 asks', () => {
  const sarif = JSON.parse(formatSarif(report(), { version: '1.2.3' }))
  expect(sarif.version).toBe('2.1.0')
  const [run] = sarif.runs
  expect(run.tool.driver).toMatchObject({ name: 'gatehouse check', semanticVersion: '1.2.3' })
  expect(run.tool.driver.rules.map(({ id }: { id: string }) => id)).toEqual(rules.map(({ id }) => id))
  for (const rule of run.tool.driver.rules) {
    expect(rule.shortDescription.text).toBeTruthy()
    expect(['error', 'warning', 'note']).toContain(rule.defaultConfiguration.level)
  }
  expect(run.results).toHaveLength(2)
  for (const { ruleId, ruleIndex, level, message, locations, partialFingerprints } of run.results) {
    expect(run.tool.driver.rules[ruleIndex].id).toBe(ruleId)
    expect(['error', 'warning', 'note']).toContain(level)
    expect(message.text).toBeTruthy()
    const [{ physicalLocation }] = locations
    expect(physicalLocation.artifactLocation.uri).toBe('policies/deny%20all.yaml')
    expect(physicalLocation.region.startLine).toBe(9)
    expect(physicalLocation.region.startColumn).toBeGreaterThan(1)
    expect(partialFingerprints['gatehouse/v1']).toMatch(/^[0-9a-f]{64}$/)
  }
})

test('annotations are one line each, with their separators escaped', () => {
  const lines = formatGithub({
    findings: [
      {
        rule: 'double-star',
        severity: 'note',
        place: { file: 'a,b:c.yaml', line: 3, column: 4, path: '' },
        message: '100% of\nit',
        edits: [],
      },
      ...findingsOf(files).slice(0, 1),
    ],
    texts: new Map(),
  }).split('\n')
  expect(lines).toEqual([
    '::notice file=a%2Cb%3Ac.yaml,line=3,col=4,title=double-star::100%25 of%0Ait',
    '::error file=policies/deny all.yaml,line=9,col=17,title=stray-wildcard::`/a*b` has a literal `*` in it, so it matches nothing that is sent; keep one `*`, at the beginning or the end',
    '',
  ])
})

test('no format shows a secret, known or not', () => {
  const texts = fixtureFiles('stock')
  for (const [name, text] of texts)
    texts.set(name, text.replace(/redirect_url = .*/, 'client_secret = "an-own-secret"'))
  const findings = findingsOf(texts)
  const told = [
    formatText({ findings, texts }, plain),
    formatJson({ findings, texts }),
    formatSarif({ findings, texts }, { version: '1.0.0' }),
    formatGithub({ findings, texts }),
  ].join('\n')
  expect(told).toContain('public-secret')
  for (const secret of ['an-own-secret', 'cFVCbkJPWTgw', 'pUBnBOY80', 'N2QxNmZlZTky', '$2y$12$4K']) {
    expect(told).not.toContain(secret)
  }
})
