/**
 * Room `http`: what every part needs to speak HTTP (the part contract, the Node server, cookies, forms, pages, client
 * addresses). It knows nothing of sign-in.
 */

/** What the listener knows of a request beside the request itself; handed to Hono as its `env`. */
export interface RequestContext {
  /** Unique per request; on every log line, error page and explain record. */
  readonly requestId: string
  /** The client's IP address, as far as trusted proxies allow to know it. */
  readonly clientAddress: string
}

/** A request as far as an answer that is known already can depend on it. */
export interface PlainRequest {
  /** Path and query. */
  readonly target: string
  /** By lower-case name, repeated ones joined. */
  header(name: string): string | undefined
}

/** An answer without a stream. */
export interface PlainAnswer {
  readonly status: number
  /** Name, value, name, value, … */
  readonly headers: readonly string[]
  readonly body: string
}

/** A part of the chain (realm, broker, proxy, console): a function from request to response. */
export interface Part {
  fetch(request: Request, context?: RequestContext): Response | Promise<Response>
  /** A short cut past `fetch`: the answer, where it is known without waiting or reading a body, and is no refusal. */
  recall?(request: PlainRequest): PlainAnswer | undefined
  /** Stops timers and connections the part has opened. */
  close?(): Promise<void>
}

/** The shape of `fetch` the parts are given to reach each other and the world. */
export type Fetch = (input: Request | string | URL, init?: RequestInit) => Promise<Response>
