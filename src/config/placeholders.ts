import type { DocumentPath, Problems, SourceDocument } from '../kit/problems.ts'
import { addProblemAt, positionsOf, type SourceText } from './source-text.ts'

type Values = Readonly<Record<string, string | undefined>>

/**
 * Fills gomplate's `{{ .Env.NAME }}` and `{{ getenv "NAME" "default" }}`: the entrypoint of Dex's image renders its
 * configuration so before it is read (dex cmd/docker-entrypoint/main.go). Lines stay where they are.
 */
export function fillTemplate(
  source: SourceText,
  { values, problems }: { values: Values; problems: Problems },
): SourceText {
  if (!source.text.includes('{{')) return source
  const positionOf = positionsOf(source.text)
  const text = source.text.replace(/\{\{-?\s*(.*?)\s*-?\}\}/g, (_written, expression: string, offset: number) => {
    const match = /^(?:\.Env\.(\w+)|getenv\s+"(\w+)"(?:\s+"([^"]*)")?)$/.exec(expression)
    const name = match?.[1] ?? match?.[2]
    const value = name === undefined ? undefined : (values[name] ?? match?.[3])
    if (value !== undefined && !/[\r\n]/.test(value)) return value
    addProblemAt(source, positionOf(offset), {
      problems,
      severity: 'error',
      ...templateProblem(expression, name, value),
    })
    return 'unset'
  })
  return { ...source, text }
}

function templateProblem(expression: string, name: string | undefined, value: string | undefined) {
  if (name === undefined)
    return { message: `the template \`{{ ${expression} }}\` is not understood`, fix: 'write its value' }
  if (value !== undefined)
    return { message: `the variable \`${name}\` has several lines`, fix: 'write the value itself' }
  return {
    message: `the variable \`${name}\` is not set`,
    fix: `set ${name}, or write its value in place of the template`,
  }
}

/** A text that is a placeholder of a shell here-document, or a URL with one in it. */
const shellPlaceholder = /\$(?:\{([A-Z][A-Z0-9_]*)\}|([A-Z][A-Z0-9_]*))/g

/**
 * Fills the placeholders that a file meant for a shell here-document still holds (`issuer: $DEX_ISSUER`), from the
 * environment. One that is not set is an error which names it; with `generatesSecrets` not where a secret is wanted: that
 * stays as it is, to be filled in like any other missing secret.
 */
export function fillPlaceholders<Document extends SourceDocument>(
  document: Document,
  { values, problems, generatesSecrets = false }: { values: Values; problems: Problems; generatesSecrets?: boolean },
): Document {
  const value = mapTexts(document.value, (text, path) => {
    if (!/^(?:https?:\/\/|\$\{?[A-Z])/.test(text)) return text
    return text.replace(shellPlaceholder, (written, braced?: string, plain?: string) => {
      const name = braced ?? plain ?? ''
      const found = values[name]
      if (found !== undefined) return found
      if (generatesSecrets && written === text && isSecretKey(path)) return written
      problems.error(document.source, path, `the variable \`${name}\` is not set`, `set ${name}, or write its value`)
      return written === text ? 'https://unset.invalid/dex' : 'unset' // told; a URL keeps it from being told again
    })
  })
  return { ...document, value }
}

const isSecretKey = (path: DocumentPath): boolean => /secret$/i.test(String(path.at(-1)))

/** A copy of a document's value with every text replaced; keys stay. */
export function mapTexts(value: unknown, change: (text: string, path: DocumentPath) => string): unknown {
  const visit = (part: unknown, path: DocumentPath): unknown => {
    if (typeof part === 'string') return change(part, path)
    if (Array.isArray(part)) return part.map((item, index) => visit(item, [...path, index]))
    if (typeof part !== 'object' || part === null) return part
    return Object.fromEntries(Object.entries(part).map(([key, member]) => [key, visit(member, [...path, key])]))
  }
  return visit(value, [])
}
