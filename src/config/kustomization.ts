import type { DocumentPath, Problems } from '../kit/problems.ts'
import { parseEnvText } from './env-source.ts'
import { type JsonObject, objectOf, objectsOf, textsOf } from './json-values.ts'
import type { KeyedTexts } from './keyed-texts.ts'
import { type SourceText, textAt } from './source-text.ts'
import type { YamlDocument } from './yaml-source.ts'

/**
 * What a kustomization's `configMapGenerator` and `secretGenerator` would make of the files of the directory, without
 * the hash kustomize puts behind the names; `consumed` are the files that went into them.
 */
export function generateTexts(
  document: YamlDocument,
  { files, problems }: { files: readonly SourceText[]; problems: Problems },
) {
  const root = objectOf(document.value)
  const folder = document.source.file.replace(/[^/]*$/, '')
  const consumed: string[] = []
  const open = (name: string, path: DocumentPath): SourceText | undefined => {
    const found = files.find(({ file }) => file === `${folder}${name.replace(/^\.\//, '')}`)
    if (found) consumed.push(found.file)
    else problems.error(document.source, path, `no such file \`${name}\``, 'add the file, or take the entry out')
    return found
  }
  const made = (['configMapGenerator', 'secretGenerator'] as const).flatMap((generator) =>
    objectsOf(root[generator]).map((entry, index): KeyedTexts => {
      const entries = generatorEntries(entry, { document, path: [generator, index], open, problems })
      return {
        kind: generator === 'secretGenerator' ? 'Secret' : 'ConfigMap',
        namespace: String(entry['namespace'] ?? root['namespace'] ?? ''),
        name: String(entry['name'] ?? ''),
        texts: new Map(entries),
      }
    }),
  )
  return { made, consumed }
}

interface GeneratorPlace {
  readonly document: YamlDocument
  readonly path: DocumentPath
  readonly open: (name: string, path: DocumentPath) => SourceText | undefined
  readonly problems: Problems
}

function generatorEntries(
  entry: JsonObject,
  { document, path, open, problems }: GeneratorPlace,
): [string, SourceText][] {
  const envs = [...textsOf(entry['envs']), ...textsOf([entry['env']])].flatMap((name, index) => {
    const file = open(name, [...path, 'envs', index])
    return file ? envTexts(file, problems) : []
  })
  const files = textsOf(entry['files']).flatMap((item, index): [string, SourceText][] => {
    const [, key, name = item] = /^([^=]+)=(.*)$/.exec(item) ?? []
    const file = open(name, [...path, 'files', index])
    return file ? [[key ?? name.replace(/^.*\//, ''), file]] : []
  })
  const literals = textsOf(entry['literals']).map((literal, index): [string, SourceText] => {
    const [, key = literal, value = ''] = /^([^=]*)=(.*)$/s.exec(literal) ?? []
    const position = document.source.position([...path, 'literals', index]) ?? { line: 1, column: 1 }
    return [key, textAt(document.source.file, value.replace(/^(["'])(.*)\1$/s, '$2'), position)]
  })
  return [...envs, ...files, ...literals]
}

function envTexts(file: SourceText, problems: Problems): [string, SourceText][] {
  const { value, source } = parseEnvText(file, problems)
  return Object.entries(value).map(([name, text]) => {
    const position = source.position([name]) ?? { line: 1, column: 1 }
    return [name, textAt(file.file, text, position)]
  })
}
