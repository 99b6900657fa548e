import type { SessionNames } from '../oidc/ended-sessions.ts'

/** What a provider is asked about: a request, as much of it as the provider's configuration gives away. */
export interface AskRequest {
  readonly method: string
  /** Normalised path with its query. */
  readonly path: string
  /** Lower-case names; repeated headers joined. */
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly clientAddress: string
  readonly requestId: string
  /** `:authority` as the client sent it. */
  readonly host: string
  /** Where the provider asked for it and there is one: the body, or as much of it as the provider may see. */
  readonly body?: Buffer
  /** Both ends of the connection the request came over. */
  readonly peer?: {
    readonly address: string
    readonly port: number
    readonly localAddress: string
    readonly localPort: number
    readonly scheme: string
  }
}

/** The provider's verdict: 200 lets the request on, 5xx is a failure of the provider, anything else is the answer. */
export interface AskAnswer {
  readonly status: number
  /** Flat: name, value, name, value. */
  readonly headers: readonly string[]
  readonly body: string
  /** Where the protocol tells it apart from the status (gRPC). */
  readonly verdict?: 'allow' | 'deny'
  /** What an allowing answer asks for beside its headers (gRPC); no list of the provider filters it. */
  readonly allowance?: Allowance
  /** Of a provider in this process: the session it lets on, so that what stays open is closed when it ends. */
  readonly session?: SessionNames
}

/** Changes to a request that is let on, and to its answer. Header names in lower case. */
export interface Allowance {
  readonly requestHeaders: readonly HeaderChange[]
  readonly removedHeaders: readonly string[]
  readonly responseHeaders: readonly HeaderChange[]
  readonly setParams: readonly (readonly [name: string, value: string])[]
  readonly removedParams: readonly string[]
}

/** One header, and what becomes of those of that name which are there (Envoy `HeaderAppendAction`). */
export interface HeaderChange {
  readonly name: string
  readonly value: string
  readonly how: 'append' | 'add-if-absent' | 'overwrite' | 'overwrite-if-there'
}

/** Asks an extension provider; one in the same process may answer at once. */
export type Ask = (request: AskRequest) => AskAnswer | Promise<AskAnswer>
