import type { CheckAnswer, CheckRequest, SessionLookup } from '../check.ts'
import type { ProxyCore } from '../core.ts'

/** What an endpoint is given besides the core. */
export interface EndpointInput {
  readonly request: CheckRequest
  /** Fields of a posted form; empty where the transport hands over no body. */
  readonly form: URLSearchParams
  /** Finds out who sent the request. */
  lookUp(): Promise<SessionLookup>
}

/** One of the proxy's own paths. */
export type Endpoint = (input: EndpointInput, core: ProxyCore) => CheckAnswer | Promise<CheckAnswer>
