/** Headers of an answer that belong to its connection (RFC 9110 §7.6.1). */
const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** The names, with those an answer's `Connection` header names. */
export function connectionNames(connection: string | readonly string[] | undefined): ReadonlySet<string> {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return hopByHop
  const named = String(connection).toLowerCase().split(',')
  return new Set([...hopByHop, ...named.map((name) => name.trim())])
}
