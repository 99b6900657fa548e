import type { IncomingMessage, ServerResponse } from 'node:http'
import type { CheckAnswer } from '../../../proxy/check.ts'
import type { Upgrade } from './visit.ts'

/** A request that may pass, and what the check allows it with. */
export interface AllowedRequest {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** Where it asks to speak WebSocket. */
  readonly upgrade: Upgrade | undefined
  readonly path: string
  readonly requestId: string
  /** Its headers are those of the answer to the browser. */
  readonly allowed: CheckAnswer
}

/** How a request was answered behind the proxy. */
export interface Served {
  /** Id of the upstream; empty where none is at the path. */
  readonly upstream: string
  readonly status: number
  /** Bytes of the body. */
  readonly size: number
}

/** What stands behind the proxy. */
export interface Upstreams {
  /** Where a path that is not clean leads before anything is asked of it; `undefined` for a clean one. */
  cleanLocation(path: string): string | undefined
  /** Answers a request that may pass; `done` is told when it has been answered. */
  serve(allowed: AllowedRequest, done: (served: Served) => void): void
  /** Closes what sessions have left open: none of them counts any more. */
  closeSockets(): void
  /** Closes WebSockets, which would not end by themselves. */
  closeUpgraded(): void
  close(): Promise<void>
}
