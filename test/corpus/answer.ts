import type { Outcome } from './live-gateway.ts'
import { withTokenNames } from './read-corpus.ts'

/** What two gateways must agree on, tokens by their names. */
export interface Answer {
  readonly status: number
  readonly body: string
  /** Of the answer, `name: value`, sorted. */
  readonly headers: readonly string[]
  /** The body an app received. */
  readonly sent?: string
  /** Which app was reached, where it is not the usual one. */
  readonly app?: string
  /** Where an app was reached: its target and the headers it received, sorted. */
  readonly target?: string
  readonly arrived?: readonly string[]
}

/** Of the connection, of the moment, or a server's name: no part of an answer's meaning. */
const incidental =
  /^(?:date|server|connection|keep-alive|transfer-encoding|content-length|x-request-id|x-envoy-upstream-service-time)$/

export function answerOf({ status, body, reply, received }: Outcome, tokens: ReadonlyMap<string, string>): Answer {
  const named = (text: string) => withTokenNames(text, tokens).replace(/(\{payload:[^}]+\})\.[\w-]+/g, '$1.SIGNATURE')
  const lines = (headers: Outcome['reply']['headers']) =>
    headers
      .filter(([name]) => !incidental.test(name))
      .map(([name, value]) => named(`${name}: ${name === 'x-forwarded-for' ? withPeer(value) : value}`))
      .toSorted()
  return {
    status,
    body: named(body),
    headers: lines(reply.headers),
    ...(received === undefined || received.app === 'app' ? {} : { app: received.app }),
    ...(received?.body ? { sent: received.body } : {}),
    ...(received === undefined ? {} : { target: named(received.target), arrived: lines(received.headers) }),
  }
}

/** Envoy writes its own address for a client on the loopback interface. */
function withPeer(forwardedFor: string): string {
  return forwardedFor.replace(/[^,\s]+$/, 'PEER')
}
