import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  parseDocument,
  type Scalar,
} from 'yaml'
import type { DocumentPath, Problems, Source, SourceDocument } from '../kit/problems.ts'
import { scalarText } from './scalar-text.ts'
import { addProblemAt, type Position, positionsOf, type SourceText } from './source-text.ts'

/** Levels of nesting a document may have; the deepest real one (a CRD) has about 40. */
const maximumDepth = 100
/** Aliases a document may have; people write a few, and each is looked up among all that came before. */
const maximumAliases = 200
/** Syntax errors told per document; more say nothing new. */
const maximumErrors = 20

/** A YAML or JSON document: its value, its lines, and the texts inside it. */
export interface YamlDocument extends SourceDocument {
  /** The text at `path` (a ConfigMap's `data['config.yaml']`) with the way back to the lines of the outer file. */
  text(path: DocumentPath): SourceText | undefined
}

/**
 * Cuts a YAML stream at its `---` lines, so that documents nobody needs (the thousands of lines of a CRD in the output
 * of `kustomize build`) are never parsed. A `---` in the first column always ends a document (YAML 1.2.2 §9.1.2).
 */
export function splitYaml(source: SourceText): SourceText[] {
  const chunks: SourceText[] = []
  let start = 0
  let startLine = 1
  const push = (end: number, linesBefore: number) => {
    const text = source.text.slice(start, end)
    if (contentLine.test(text)) {
      chunks.push({
        file: source.file,
        text,
        locate: ({ line, column }) => source.locate({ line: line + linesBefore, column }),
      })
    }
  }
  let line = 1
  for (let at = 0; at !== -1 && at < source.text.length; line += 1) {
    if (at > start && /^---(?:\s|$)/.test(source.text.slice(at, at + 4))) {
      push(at, startLine - 1)
      start = at
      startLine = line
    }
    const next = source.text.indexOf('\n', at)
    at = next === -1 ? -1 : next + 1
  }
  push(source.text.length, startLine - 1)
  return chunks
}

/**
 * Reads one document. YAML 1.2 with merge keys and the `yes`/`no` booleans of YAML 1.1 (Go's readers know them), and so
 * JSON. Refused with a problem: syntax errors, repeated keys, `__proto__`, keys which are not text, more than 100
 * levels, aliases by the hundred or that multiply. An empty document or a refused one is `undefined`.
 */
export function parseYaml(source: SourceText, problems: Problems): YamlDocument | undefined {
  const before = problems.list.length
  const positionOf = positionsOf(source.text)
  const report = (offset: number, message: string, fix?: string) =>
    addProblemAt(source, positionOf(offset), {
      problems,
      severity: 'error',
      message,
      ...(fix === undefined ? {} : { fix }),
    })
  const document = parseQuietly(source.text, report)
  if (!document?.contents) return undefined
  checkNodes(document, report)
  if (problems.list.length > before) return undefined
  const value = toValue(document, report)
  if (value === undefined || value === null) return undefined
  return yamlDocument(value, { document, source, positionOf })
}

/** A line which is more than a comment, a directive or a document marker. */
const contentLine = /^(?![ \t\r]*(?:$|#)|%|---[ \t\r]*(?:$|#)|\.\.\.)/m

type Report = (offset: number, message: string, fix?: string) => void

function parseQuietly(text: string, report: Report): Document.Parsed | undefined {
  try {
    const document = parseDocument(text, {
      prettyErrors: false,
      logLevel: 'error',
      merge: true,
      // checkNodes looks for repeated keys in linear time; the library compares each key with every other
      uniqueKeys: false,
      customTags: (tags) => [...tags, yaml11Boolean],
    })
    reportSyntax(text, document, report)
    return document
  } catch (error) {
    if (!(error instanceof RangeError)) throw error // the composer ran out of stack
    report(0, `nested deeper than ${maximumDepth} levels`)
    return undefined
  }
}

/** Each line's first mistake; the others follow from it, as everything follows from a tab. */
function reportSyntax(text: string, { errors }: Document.Parsed, report: Report): void {
  const language = /^\s*[{[]/.test(text) ? 'JSON' : 'YAML'
  const found = errors
    .slice(0, 5 * maximumErrors)
    .map(({ message, pos: [offset] }) => ({ message, offset, line: lineAt(text, offset) }))
  const tab = found.find(({ line }) => /^[ ]*\t/.test(line.text))
  if (tab) {
    report(tab.line.start, `not valid ${language}: a tab in the indentation`, 'indent with blanks')
    return
  }
  const perLine = found.filter(({ line }, at) => found.findIndex((one) => one.line.start === line.start) === at)
  for (const { message, offset } of perLine.slice(0, maximumErrors)) {
    report(offset, `not valid ${language}: ${lowerFirst(message)}`)
  }
}

function lineAt(text: string, offset: number): { readonly start: number; readonly text: string } {
  const start = text.lastIndexOf('\n', offset - 1) + 1
  const end = text.indexOf('\n', start)
  return { start, text: text.slice(start, end === -1 ? text.length : end) }
}

const yaml11Boolean = {
  tag: 'tag:yaml.org,2002:bool',
  default: true,
  test: /^(?:yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF)$/,
  resolve: (text: string) => /^(?:yes|on)$/i.test(text),
} as const

function checkNodes(document: Document.Parsed, report: Report): void {
  const anchors = new Map<string, Node>()
  let aliases = 0
  const open: { node: unknown; depth: number }[] = [{ node: document.contents, depth: 0 }]
  // in the order of the document, so that an alias finds the anchor it stands for
  for (let next = open.pop(); next; next = open.pop()) {
    const { node, depth } = next
    if (depth > maximumDepth) {
      report(offsetOf(node), `nested deeper than ${maximumDepth} levels`)
      return
    }
    if (isAlias(node)) {
      aliases += 1
      if (aliases > maximumAliases) {
        report(offsetOf(node), `more than ${maximumAliases} aliases`)
        return
      }
      if (holds(anchors.get(node.source), node)) report(offsetOf(node), 'an alias inside its own anchor')
    } else if (isNode(node) && node.anchor !== undefined) anchors.set(node.anchor, node)
    if (isSeq(node)) for (const item of node.items.toReversed()) open.push({ node: item, depth: depth + 1 })
    if (!isMap(node)) continue
    checkKeys(node.items, report)
    for (const { value } of node.items.toReversed()) open.push({ node: value, depth: depth + 1 })
  }
}

function holds(outer: Node | undefined, inner: Node): boolean {
  const [start = 0, end = 0] = outer?.range ?? []
  return start <= offsetOf(inner) && offsetOf(inner) < end
}

function checkKeys(pairs: readonly Pair[], report: Report): void {
  const seen = new Set<string>()
  for (const { key } of pairs) {
    if (!isScalar(key)) {
      report(offsetOf(key), 'a key must be text', 'quote it, if a template placeholder was meant fill it in')
      continue
    }
    const name = String(key.value)
    if (name === '__proto__') report(offsetOf(key), 'the key `__proto__` is not allowed')
    else if (seen.has(name) && name !== '<<')
      report(offsetOf(key), `the key \`${name}\` is repeated`, fixOfRepeated(name))
    seen.add(name)
  }
}

/** Two files one after the other are most likely what repeats these. */
function fixOfRepeated(key: string): string {
  return key === 'apiVersion' || key === 'kind' ? 'write `---` between two resources, or remove one' : 'remove one'
}

function toValue(document: Document.Parsed, report: Report): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 })
  } catch (error) {
    report(0, error instanceof Error ? `not valid YAML: ${lowerFirst(error.message)}` : 'not valid YAML')
    return undefined
  }
}

interface Parsed {
  readonly document: Document.Parsed
  readonly source: SourceText
  readonly positionOf: (offset: number) => Position
}

function yamlDocument(value: unknown, { document, source, positionOf }: Parsed): YamlDocument {
  const place: Source = {
    file: source.file,
    position: (path) => source.locate(positionOf(offsetOf(nearestNode(document, path).marker))),
  }
  return {
    value,
    source: place,
    text: (path) => {
      const { node, found } = nearestNode(document, path)
      if (!found || !isScalar(node) || typeof node.value !== 'string') return undefined
      return scalarText(node as Scalar<string>, source)
    },
  }
}

/** The node at `path`, or the last one on the way to it; `marker` is its key where it has one. */
function nearestNode(document: Document.Parsed, path: DocumentPath) {
  let node: unknown = document.contents
  let marker: unknown = node
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document)
    const next = childOf(node, step)
    if (!next) return { node, marker, found: false }
    node = next.node
    marker = next.marker
  }
  return { node: isAlias(node) ? node.resolve(document) : node, marker, found: true }
}

function childOf(node: unknown, step: string | number): { node: unknown; marker: unknown } | undefined {
  if (isSeq(node)) {
    const item = node.items[Number(step)]
    return item === undefined ? undefined : { node: item, marker: item }
  }
  if (!isMap(node)) return undefined
  const exact = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step))
  // Dex matches its keys without regard to case, so the path may be spelled otherwise than the file
  const pair = exact ?? node.items.find(({ key }) => isScalar(key) && sameWord(String(key.value), String(step)))
  return pair && { node: pair.value, marker: pair.key }
}

const sameWord = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase()

function offsetOf(node: unknown): number {
  return (node as { range?: readonly number[] } | null)?.range?.[0] ?? 0
}

const lowerFirst = (text: string): string => text.replace(/^./, (first) => first.toLowerCase()).replace(/\.$/, '')
