import type { Finding } from './finding.ts'
import { titleOf } from './resource.ts'
import type { Container } from './workloads.ts'

/** Which workloads and ConfigMaps were of use, and which Secrets a used workload wants that are not there. */
export function tellWorkloads(finding: Finding, used: ReadonlySet<Container>): void {
  const { containers, report } = finding
  for (const container of containers) {
    const { workload, name, source } = container
    if (used.has(container)) report.at('honoured', source, [], `variables of ${workload}, container ${name}`)
    else report.at('ignored', source, [], `${workload}, container ${name}`, { why: 'not a part of the sign-in chain' })
  }
  tellKeyedTexts(finding, used)
  tellMissing(finding, used)
}

/** ConfigMaps and Secrets; those that hold a configuration have been told with it. */
function tellKeyedTexts({ keyedTexts, candidates, report }: Finding, used: ReadonlySet<Container>): void {
  for (const keyed of keyedTexts) {
    const [text] = keyed.texts.values()
    if (!text || candidates.some(({ owner }) => owner === keyed)) continue
    const reader = [...used].find(({ references }) => references.includes(`${keyed.kind} ${keyed.name}`))
    const source = { file: text.file, position: () => text.locate({ line: 1, column: 1 }) }
    if (reader) report.at('honoured', source, [], titleOf(keyed), { why: `variables of ${reader.workload}` })
    else report.at('ignored', source, [], titleOf(keyed), { why: 'nothing of the sign-in chain reads it' })
  }
}

function tellMissing({ shared, problems }: Finding, used: ReadonlySet<Container>): void {
  for (const { name, wanted, source, path } of [...used].flatMap(({ missing }) => missing)) {
    if (name !== undefined && (shared.files.has(name) || shared.process[name])) continue
    const what = name === undefined ? wanted : `${wanted} (for ${name})`
    problems.warn(source, path, `${what} is not among the files`, 'add its manifest, or set the variable')
  }
}
