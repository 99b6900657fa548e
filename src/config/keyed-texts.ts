import type { Problems } from '../kit/problems.ts'
import { objectOf } from './json-values.ts'
import type { Resource } from './resource.ts'
import { type SourceText, textAt } from './source-text.ts'
import type { YamlDocument } from './yaml-source.ts'

/** The entries of a ConfigMap or Secret (decoded), each with its lines. */
export interface KeyedTexts {
  readonly kind: 'ConfigMap' | 'Secret'
  readonly namespace: string
  readonly name: string
  readonly texts: ReadonlyMap<string, SourceText>
}

/** The entries of a ConfigMap or Secret; `undefined` for other kinds. Base64 that is none is a problem. */
export function keyedTextsOf(
  { kind, namespace, name, document }: Resource,
  problems: Problems,
): KeyedTexts | undefined {
  if (kind !== 'ConfigMap' && kind !== 'Secret') return undefined
  const texts = new Map<string, SourceText>()
  for (const [key, text] of entriesOf(document, 'data')) {
    const decoded = kind === 'Secret' ? decodeBase64(text) : text
    if (decoded) texts.set(key, decoded)
    else problems.error(document.source, ['data', key], 'not valid base64', 'encode it, or move it to stringData')
  }
  for (const [key, text] of kind === 'Secret' ? entriesOf(document, 'stringData') : []) texts.set(key, text)
  return { kind, namespace, name, texts }
}

function entriesOf(document: YamlDocument, field: string): [string, SourceText][] {
  const members = objectOf(objectOf(document.value)[field])
  return Object.entries(members).map(([key, value]) => {
    const path = [field, key]
    const position = document.source.position(path) ?? { line: 1, column: 1 }
    return [key, document.text(path) ?? textAt(document.source.file, String(value ?? ''), position)]
  })
}

function decodeBase64({ file, text, locate }: SourceText): SourceText | undefined {
  const compact = text.replace(/\s/g, '')
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(compact) || compact.length % 4 === 1) return undefined
  return textAt(file, Buffer.from(compact, 'base64').toString('utf8'), locate({ line: 1, column: 1 }))
}
