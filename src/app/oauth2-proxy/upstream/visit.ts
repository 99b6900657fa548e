import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { bodyBeside } from '../../../http/answer-bytes.ts'
import type { CheckAnswer } from '../../../proxy/check.ts'

/** The socket of a request that asks to speak another protocol, and what of that came already. */
export interface Upgrade {
  readonly socket: Duplex
  readonly head: Buffer
}

/** A request that may pass, on its way to an upstream. */
export interface Visit {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly upgrade: Upgrade | undefined
  /** Path and query the upstream is asked for. */
  readonly target: string
  readonly requestId: string
  /** What lets it pass. */
  readonly allowed: CheckAnswer
  readonly tally: Tally
}

/** What is counted of an answer for the log. */
export interface Tally {
  /** Of its body. */
  bytes: number
  /** Whether the connection now speaks another protocol. */
  isUpgraded: boolean
}

/** Answers a request that may pass. */
export type Upstream = (visit: Visit) => void

/** Headers of every answer to this request, flat. */
export function ownHeaders({ allowed }: Visit): readonly string[] {
  return allowed.forwarding?.toClient ?? []
}

/** Who is signed in: `Gap-Auth`, which every allowed answer with a session carries; empty without one. */
export function gapAuthOf({ headers }: CheckAnswer): string {
  return headers[0] === 'gap-auth' ? (headers[1] ?? '') : ''
}

/** Answers with a text of our own. */
export function answerText(visit: Visit, status: number, text: string, headers: readonly string[] = []): void {
  const body = `${text}\n`
  visit.tally.bytes = Buffer.byteLength(body)
  const all = [
    ...ownHeaders(visit),
    ...headers,
    ...['content-type', 'text/plain; charset=utf-8', 'x-content-type-options', 'nosniff'],
    ...['content-length', String(visit.tally.bytes)],
  ]
  visit.response.writeHead(status, all)
  visit.response.end(bodyBeside(all, body))
}

/** Answers with the same under another path. */
export function answerRedirect(visit: Visit, location: string): void {
  visit.response.writeHead(301, [...ownHeaders(visit), 'location', location, 'content-length', '0'])
  visit.response.end()
}
