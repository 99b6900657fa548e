/** Entries found by the texts that begin with their prefix; a thousand prefixes cost what ten do. Immutable. */
export interface PrefixTree<Entry> {
  /**
   * Calls `visit` with the entries of every prefix `text` begins with, shortest first; those of one prefix together,
   * in the order given.
   */
  visit(text: string, visit: (entries: readonly Entry[]) => void): void
}

/** One node: what stands between its parent's prefix and its own, and where the text may go on. */
interface Node<Entry> {
  text: string
  readonly entries: Entry[]
  /** By the first UTF-16 code unit of their text. */
  readonly children: Map<number, Node<Entry>>
}

/** Builds a compressed trie. The empty prefix begins every text. */
export function prefixTree<Entry>(pairs: Iterable<readonly [prefix: string, entry: Entry]>): PrefixTree<Entry> {
  const root = emptyNode<Entry>('')
  for (const [prefix, entry] of pairs) nodeOf(root, prefix).entries.push(entry)
  return {
    visit(text, visit) {
      let node: Node<Entry> | undefined = root
      let at = 0
      while (node) {
        if (node.entries.length > 0) visit(node.entries)
        node = node.children.get(text.charCodeAt(at))
        if (!node || !text.startsWith(node.text, at)) return
        at += node.text.length
      }
    },
  }
}

function emptyNode<Entry>(text: string): Node<Entry> {
  return { text, entries: [], children: new Map() }
}

/** The node of a prefix, made where there is none. */
function nodeOf<Entry>(root: Node<Entry>, prefix: string): Node<Entry> {
  let node = root
  let rest = prefix
  while (rest !== '') {
    const first = rest.charCodeAt(0)
    const child: Node<Entry> = node.children.get(first) ?? emptyNode(rest)
    const shared = sharedLength(child.text, rest)
    node.children.set(first, shared === child.text.length ? child : split(child, shared))
    node = node.children.get(first) ?? child
    rest = rest.slice(shared)
  }
  return node
}

/** A new node for the first `length` characters of a child, which becomes its only child. */
function split<Entry>(child: Node<Entry>, length: number): Node<Entry> {
  const parent = emptyNode<Entry>(child.text.slice(0, length))
  child.text = child.text.slice(length)
  parent.children.set(child.text.charCodeAt(0), child)
  return parent
}

function sharedLength(a: string, b: string): number {
  let length = 0
  while (length < a.length && length < b.length && a.charCodeAt(length) === b.charCodeAt(length)) length += 1
  return length
}
