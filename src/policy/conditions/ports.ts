import { type ConditionKind, textReasons } from './condition.ts'

/** The port the request came in on: the gateway's listener, not the Service's port. */
export const ports: ConditionKind = {
  mistake: (value) =>
    /^\d{1,5}$/.test(value) && Number(value) <= 65535 ? undefined : `\`${value}\` is no port (0 to 65535)`,
  compile(values) {
    const numbers = new Set(values.map(Number))
    return ({ localPort }) => numbers.has(localPort)
  },
  lookup: { textsOf: ({ localPort }) => String(localPort), prefixOf: (value) => String(Number(value)) },
  ...textReasons(
    () => 'port',
    ({ localPort }) => String(localPort),
  ),
}
