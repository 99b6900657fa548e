/** The claims of a token: a JSON object. */
export type Claims = { readonly [name: string]: unknown }

/** What is known of a request when it is judged. The same values are forwarded (architecture §6, invariant 1). */
export interface RequestFacts {
  /** As sent; methods are case-sensitive. */
  readonly method: string
  /** Normalised, without query and fragment. */
  readonly path: string
  /** `?a=b`, or empty. */
  readonly query: string
  /** `:authority` as sent, with its port. */
  readonly host: string
  /** A header by its lower-case name, repeated ones joined with `,`; `undefined` where it was not sent. */
  header(name: string): string | undefined
  /** Each line of a repeated header; without this method a header is taken as one line. */
  headerLines?(name: string): readonly string[]
  /** The TCP peer's address (Envoy `direct_remote_ip`). */
  readonly peerAddress: string
  /** The client's address as far as trusted proxies tell (Envoy `remote_ip`). */
  readonly clientAddress: string
  /** The address and port the request came in on. */
  readonly localAddress: string
  readonly localPort: number
  /** TLS server name; `undefined` without TLS. */
  readonly serverName: string | undefined
  /** Claims of the verified token; `undefined` without one. */
  readonly claims: Claims | undefined
}

/** A compiled question about a request. */
export type Test = (facts: RequestFacts) => boolean
