/** What a header value may ask for of a request. */
export interface ValueSource {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly host: string
  readonly scheme: string
  readonly clientAddress: string
  readonly peerAddress: string
  readonly localAddress: string
  headerLines(name: string): readonly string[]
}

const operator = /%(?:%|([A-Z_]+)(?:\(([^()]*)\))?%)/g

/**
 * A header value of a VirtualService with Envoy's command operators filled in (`%REQ(X-A?X-B)%`; Envoy docs,
 * "Substitution format strings"). Of a repeated header the first counts. One that asks for what is not there is empty; `%%` is a percent sign.
 */
export function fillIn(value: string, source: ValueSource): string {
  return value.replace(operator, (whole, name: string | undefined, argument: string | undefined) => {
    if (whole === '%%') return '%'
    return (name === undefined ? undefined : commands[name]?.(source, argument ?? '')) ?? whole
  })
}

/** The commands a value uses that are not known here. */
export function unknownCommands(value: string): readonly string[] {
  return [...value.matchAll(operator)].flatMap(([whole, name]) => (name && !(name in commands) ? [whole] : []))
}

const commands: Readonly<Record<string, (source: ValueSource, argument: string) => string>> = {
  REQ: (source, names) => {
    const [first = '', second = ''] = names.toLowerCase().split('?')
    return requestValue(source, first) ?? requestValue(source, second) ?? ''
  },
  PROTOCOL: () => 'HTTP/1.1',
  DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT: ({ clientAddress }) => clientAddress,
  DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT: ({ peerAddress }) => peerAddress,
  DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT: ({ localAddress }) => localAddress,
}

function requestValue(source: ValueSource, name: string): string | undefined {
  switch (name) {
    case ':authority':
      return source.host
    case ':method':
      return source.method
    case ':path':
      return source.path + source.query
    case ':scheme':
      return source.scheme
    default:
      return source.headerLines(name)[0]
  }
}
