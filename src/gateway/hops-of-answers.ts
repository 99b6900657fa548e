/** Names of an upstream's answer that belong to its connection, not to the answer (Envoy drops these, and no others). */
export const hopsOfAnswers: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'trailer',
])
