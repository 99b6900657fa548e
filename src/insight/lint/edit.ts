import type { Place } from '../../policy/reader.ts'

/** A small change of a text, made only where the text still says what was read; layout and comments stay. */
export type Edit =
  /** Another text in place of `from`, which stands at the place or after it on its line. */
  | { readonly kind: 'replace'; readonly place: Place; readonly from: string; readonly to: string }
  /** The item of a list goes. */
  | { readonly kind: 'remove-item'; readonly place: Place; readonly item: string }
  /** A new item after one that is there. */
  | { readonly kind: 'add-item'; readonly place: Place; readonly after: string; readonly item: string }
  /** A new item, an object of one line, before the one that begins at the place. */
  | { readonly kind: 'insert-object'; readonly place: Place; readonly object: string }
  /** A new entry on a line of its own, above the key that stands at the place. */
  | { readonly kind: 'add-entry'; readonly place: Place; readonly before: string; readonly entry: string }

/** The text with the change made; `undefined` where it does not say what the change expects. */
export function applyEdit(text: string, edit: Edit): string | undefined {
  const { line = 0, column = 1 } = edit.place
  const rows = text.split('\n')
  const written = rows[line - 1]
  if (written === undefined) return undefined
  const end = written.endsWith('\r') ? '\r' : ''
  const row = end === '' ? written : written.slice(0, -1)
  const changed = changeRow(row, { edit, start: column - 1 })?.map((one) => one + end)
  return changed && [...rows.slice(0, line - 1), ...changed, ...rows.slice(line)].join('\n')
}

/** The rows that take the place of one; `undefined` where it is not as expected. */
function changeRow(row: string, { edit, start }: { edit: Edit; start: number }): readonly string[] | undefined {
  const before = row.slice(0, start)
  switch (edit.kind) {
    case 'replace': {
      const at = wordAt(row, { word: edit.from, start })
      return at === -1 ? undefined : [row.slice(0, at) + edit.to + row.slice(at + edit.from.length)]
    }
    case 'add-entry':
      return /^\s*$/.test(before) && row.startsWith(edit.before, start) ? [before + edit.entry, row] : undefined
    case 'insert-object': {
      if (/^\s*-\s+$/.test(before)) return [before + edit.object, row]
      return /[[,]\s*$/.test(before) ? [`${before}${edit.object}, ${row.slice(start)}`] : undefined
    }
    case 'add-item':
      return changeItem(row, { start, item: edit.after, block: addBelow, flow: addBeside, added: edit.item })
    case 'remove-item':
      return changeItem(row, { start, item: edit.item, block: () => [], flow: removeBeside, added: '' })
  }
}

/** A list item with what stands before and after it on its row, and one to add. */
interface ItemRow {
  readonly before: string
  readonly token: string
  readonly after: string
  readonly added: string
}

type ChangeItem = (row: ItemRow) => readonly string[]

function changeItem(
  row: string,
  {
    start,
    item,
    block,
    flow,
    added,
  }: { start: number; item: string; block: ChangeItem; flow: ChangeItem; added: string },
): readonly string[] | undefined {
  const token = tokenAt(row, start)
  if (token === undefined || unquoted(token) !== item) return undefined
  const parts = { before: row.slice(0, start), token, after: row.slice(start + token.length), added }
  if (/^\s*-\s+$/.test(parts.before) && /^\s*(?:#.*)?$/.test(parts.after)) return block(parts)
  return isInFlow(parts.before, parts.after) ? flow(parts) : undefined
}

const addBelow: ChangeItem = ({ before, token, after, added }) => [
  before + token + after,
  before + quotedLike(token, added),
]

const addBeside: ChangeItem = ({ before, token, after, added }) => [
  `${before}${token}, ${quotedLike(token, added)}${after}`,
]

const removeBeside: ChangeItem = ({ before, after }) =>
  /,\s*$/.test(before) ? [before.replace(/,\s*$/, '') + after] : [before + after.replace(/^\s*,\s*/, '')]

/** Where `word` begins as a word of its own: no part of a longer path, address or name. */
function wordAt(row: string, { word, start }: { word: string; start: number }): number {
  for (let at = row.indexOf(word, start); at !== -1; at = row.indexOf(word, at + 1)) {
    const isWhole = !/[\w/*.:-]/.test(row[at - 1] ?? ' ') && !/[\w/*.:-]/.test(row[at + word.length] ?? ' ')
    if (isWhole) return at
  }
  return -1
}

/** The scalar that begins at `start`: quoted, or plain up to a comma, a bracket or a comment. */
function tokenAt(row: string, start: number): string | undefined {
  const rest = row.slice(start)
  const found = /^(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s,[\]{}#"'][^,[\]{}#]*?(?=\s*(?:[,[\]{}]|\s#|$)))/.exec(rest)
  return found?.[0]
}

function unquoted(token: string): string {
  return /^["']/.test(token) ? token.slice(1, -1) : token
}

function quotedLike(sibling: string, item: string): string {
  const quote = /^["']/.exec(sibling)?.[0]
  if (quote !== undefined) return `${quote}${item}${quote}`
  return /:|^[*&!%@`>|{}[\]#?:,"'-]/.test(item) ? JSON.stringify(item) : item
}

/** Whether an item with this before and after it stands in `[a, b]`. */
function isInFlow(before: string, after: string): boolean {
  return (
    /[[,]\s*$|^\s*$/.test(before) && /^\s*(?:[,\]]|$)/.test(after) && !(/^\s*$/.test(before) && /^\s*$/.test(after))
  )
}
