import type { Problems } from '../kit/problems.ts'
import { objectOf } from './json-values.ts'
import type { KeyedTexts } from './keyed-texts.ts'
import type { Manifests } from './manifests.ts'
import type { ReportBook } from './report.ts'
import { titleOf } from './resource.ts'
import { positionsOf, type SourceText } from './source-text.ts'

/** What a text turned out to be. */
export type CandidateKind = 'dex' | 'proxy' | 'mesh' | 'realm' | 'variables'

/** A text that is the configuration of an original: a plain file, or an entry of a ConfigMap or Secret. */
export interface Candidate {
  readonly kind: CandidateKind
  readonly text: SourceText
  /** `Dex configuration (ConfigMap auth/dex, key config.yaml)` */
  readonly title: string
  /** The ConfigMap or Secret it is an entry of. */
  readonly owner?: KeyedTexts
}

const titles: Readonly<Record<CandidateKind, string>> = {
  dex: 'Dex configuration',
  proxy: 'oauth2-proxy configuration',
  mesh: 'Istio mesh configuration',
  realm: 'Keycloak realm',
  variables: 'variables',
}

/** The texts of a directory that configure an original, told apart by what stands in them, and the others. */
export function findCandidates({ plainTexts, keyedTexts }: Manifests): {
  readonly candidates: readonly Candidate[]
  readonly others: readonly SourceText[]
} {
  const candidates: Candidate[] = []
  const others: SourceText[] = []
  for (const text of plainTexts) {
    const kind = kindOfFile(text)
    if (kind) candidates.push({ kind, text, title: titles[kind] })
    else others.push(text)
  }
  for (const owner of keyedTexts) {
    for (const [key, text] of owner.texts) {
      const kind = kindOfEntry(key, text)
      const place = `${titleOf(owner)}, key ${key}`
      if (kind) candidates.push({ kind, text, title: `${titles[kind]} (${place})`, owner })
    }
  }
  return { candidates, others }
}

function kindOfFile({ file, text }: SourceText): CandidateKind | undefined {
  if (/\.(?:cfg|toml)$/i.test(file)) return 'proxy'
  if (/\.env$/i.test(file)) return 'variables'
  return /\.(?:ya?ml|json)$/i.test(file) ? kindOfText(text) : undefined
}

function kindOfEntry(key: string, { text }: SourceText): CandidateKind | undefined {
  if (!text.includes('\n') && !text.startsWith('{')) return undefined // a single value, for a container's `env`
  if (/\.(?:cfg|toml)$/i.test(key) || /^\s*oidc_issuer_url\s*=/m.test(text)) return 'proxy'
  return kindOfText(text)
}

function kindOfText(text: string): CandidateKind | undefined {
  if (
    /^issuer[ \t]*:/im.test(text) &&
    /^(?:storage|staticClients|connectors|web|enablePasswordDB)[ \t]*:/im.test(text)
  ) {
    return 'dex'
  }
  if (/^\s*\{/.test(text) && isDexJson(text)) return 'dex'
  if (/^(?:extensionProviders|defaultConfig|pathNormalization|rootNamespace|trustDomain)[ \t]*:/m.test(text))
    return 'mesh'
  if (
    /(?:^|[{,[])[ \t]*"?realm"?[ \t]*:[ \t]*["'\w$]/m.test(text) &&
    /\b(?:clients|users|groups|roles|enabled)"?[ \t]*:/.test(text)
  ) {
    return 'realm'
  }
  return undefined
}

/** JSON has no lines to go by: what stands at the top is told from what stands inside. */
function isDexJson(text: string): boolean {
  if (!/"issuer"\s*:/i.test(text)) return false
  try {
    const names = Object.keys(objectOf(JSON.parse(text))).map((name) => name.toLowerCase())
    const others = ['storage', 'staticclients', 'connectors', 'web', 'enablepassworddb']
    return names.includes('issuer') && others.some((name) => names.includes(name))
  } catch {
    return false
  }
}

/** The one candidate of its kind; each further one is an error that names the first. */
export function onlyOne<Kind extends Candidate>(found: readonly Kind[], problems: Problems): Kind | undefined {
  const [first, ...more] = found
  for (const { text, title } of more) {
    const line = positionOfStart(first?.text).line
    problems.list.push({
      severity: 'error',
      file: text.file,
      ...positionOfStart(text),
      path: '',
      message: `a second ${title.replace(/ \(.*$/, '')}; the first is at ${first?.text.file}:${line}`,
      fix: 'leave only one of them in the directory',
    })
  }
  return first
}

/** Where a text begins in its file: its first line that says something. */
export function positionOfStart(text: SourceText | undefined): { line: number; column: number } {
  if (!text) return { line: 1, column: 1 }
  const offset = Math.max(0, text.text.search(/^(?![ \t\r]*(?:$|#)|---)/m))
  return text.locate(positionsOf(text.text.slice(0, offset + 1))(offset))
}

/** Tells that a candidate is read. */
export function tellHonoured({ text, title }: Candidate, report: ReportBook): void {
  report.at('honoured', { file: text.file, position: () => positionOfStart(text) }, [], title)
}
