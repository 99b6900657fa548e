/**
 * The headers of a request on its way through the gateway: lower-case names in the order they came, in the flat form
 * `name, value, name, value` undici sends. What is judged here is what is forwarded.
 */
export class HeaderList {
  readonly flat: string[]
  /** Whether the body comes in chunks (`Transfer-Encoding`, which is not kept: it is each connection's own). */
  readonly isChunked: boolean

  constructor(flat: string[], isChunked = false) {
    this.flat = flat
    this.isChunked = isChunked
  }

  /** The value, repeated headers joined with `,` (cookies with `; `, RFC 9113 §8.2.3), or `undefined`. */
  get(name: string): string | undefined {
    const { flat } = this
    let value: string | undefined
    for (let at = 0; at < flat.length; at += 2) {
      if (flat[at] !== name) continue
      const next = flat[at + 1] ?? ''
      value = value === undefined ? next : value + (name === 'cookie' ? '; ' : ',') + next
    }
    return value
  }

  /** Each value of a repeated header. */
  all(name: string): string[] {
    const { flat } = this
    const values: string[] = []
    for (let at = 0; at < flat.length; at += 2) if (flat[at] === name) values.push(flat[at + 1] ?? '')
    return values
  }

  /** How often a header of that name is there. */
  count(name: string): number {
    const { flat } = this
    let count = 0
    for (let at = 0; at < flat.length; at += 2) if (flat[at] === name) count += 1
    return count
  }

  add(name: string, value: string): void {
    this.flat.push(name, value)
  }

  /** Exactly one header of that name. */
  set(name: string, value: string): void {
    this.remove(name)
    this.flat.push(name, value)
  }

  /** Appends to the first header of that name, where there is one, as to a list. */
  extend(name: string, value: string): void {
    const at = this.flat.findIndex((one, index) => index % 2 === 0 && one === name)
    if (at >= 0) this.flat[at + 1] += `${name === 'cookie' ? '; ' : ','}${value}`
  }

  remove(name: string): void {
    const { flat } = this
    for (let at = flat.length - 2; at >= 0; at -= 2) if (flat[at] === name) flat.splice(at, 2)
  }

  /** Removes every header of these names in one pass, however many they are. */
  removeAll(names: ReadonlySet<string>): void {
    const { flat } = this
    let end = 0
    for (let at = 0; at < flat.length; at += 2) {
      if (names.has(flat[at] ?? '')) continue
      flat[end] = flat[at] ?? ''
      flat[end + 1] = flat[at + 1] ?? ''
      end += 2
    }
    flat.length = end
  }
}
