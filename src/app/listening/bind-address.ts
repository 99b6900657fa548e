import { fail } from '../../kit/errors.ts'

/** Where a listener listens. */
export type BindAddress =
  | { readonly kind: 'tcp'; readonly host: string | undefined; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string; readonly mode: number | undefined }
  /** A socket that is open already (systemd's socket activation). */
  | { readonly kind: 'descriptor'; readonly descriptor: number }

/**
 * Reads `[http://]host:port`, `unix://path,mode=0777` or `fd:3` (oauth2-proxy pkg/proxyhttp/server.go); `undefined` for
 * an empty one or `-`. @throws GatehouseError `config` for anything else.
 */
export function parseBindAddress(text: string): BindAddress | undefined {
  if (text === '' || text === '-') return undefined
  const [, descriptor] = /^fd:(\d{1,4})$/i.exec(text) ?? []
  if (descriptor !== undefined) return { kind: 'descriptor', descriptor: Number(descriptor) }
  const [, scheme = 'http', rest = ''] = /^(?:(\w+):\/\/)?(.*)$/s.exec(text) ?? []
  if (scheme === 'unix') return unixAddress(rest)
  const [, bracketed, plain, port = ''] = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(rest) ?? []
  if (!['http', 'https', 'tcp'].includes(scheme) || port === '' || Number(port) > 65_535) {
    fail('config', `cannot listen on \`${text}\`; write \`host:port\`, \`unix://path\` or \`fd:3\``)
  }
  return { kind: 'tcp', host: bracketed ?? (plain || undefined), port: Number(port) }
}

function unixAddress(text: string): BindAddress {
  const [path = '', ...options] = text.split(',')
  let mode: number | undefined
  for (const option of options) {
    const [name = '', value] = option.split('=')
    if (value === undefined) fail('config', `unix socket option ${name} expects a value`)
    if (name !== 'mode') continue
    if (!/^[0-7]{1,6}$/.test(value)) fail('config', `unix socket file mode has invalid value ${value}`)
    mode = Number.parseInt(value, 8)
  }
  return { kind: 'unix', path, mode }
}

/** The address as its error messages tell it: `(tcp, 127.0.0.1:4180)`. */
export function describeAddress(address: BindAddress): string {
  if (address.kind === 'unix') return `(unix, ${address.path})`
  if (address.kind === 'descriptor') return `(fd, ${address.descriptor})`
  const host = address.host?.includes(':') ? `[${address.host}]` : (address.host ?? '')
  return `(tcp, ${host}:${address.port})`
}
