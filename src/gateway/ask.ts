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
}

/** The provider's verdict: 200 lets the request on, 5xx is a failure of the provider, anything else is the answer. */
export interface AskAnswer {
  readonly status: number
  /** Flat: name, value, name, value. */
  readonly headers: readonly string[]
  readonly body: string
}

/** Asks an extension provider; one in the same process may answer at once. */
export type Ask = (request: AskRequest) => AskAnswer | Promise<AskAnswer>
