import { foldHeaderName, identityHeaders } from '../http/identity-headers.ts'

/** How many different header names are remembered; they come from clients. */
const remembered = 1000

/**
 * Tells whether a request header, in any spelling, would be taken for one of ours. `more`: names the configuration adds.
 * Never `authorization`, which a client may send.
 */
export function compileIdentityNames(more: Iterable<string>): (name: string) => boolean {
  const names = new Set([...identityHeaders, ...more].map(foldHeaderName))
  names.delete('authorization')
  const known = new Map<string, boolean>()
  return (name) => {
    const before = known.get(name)
    if (before !== undefined) return before
    const isIdentity = names.has(foldHeaderName(name))
    if (known.size < remembered && name.length <= 64) known.set(name, isIdentity)
    return isIdentity
  }
}
