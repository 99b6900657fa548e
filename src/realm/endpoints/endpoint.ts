import type { RequestContext } from '../../http/part.ts'
import type { Client } from '../model.ts'
import type { Realm } from '../realm.ts'

/** A request to an endpoint of a realm. */
export interface Call {
  readonly request: Request
  readonly url: URL
  readonly context: RequestContext
  /** Told which client is calling, as soon as that is known: pages of its web origins may read the answer. */
  calledBy(client: Client): void
}

/** Answers a call. What goes wrong is thrown: `OAuthError`, `PageError`, or an error of ours. */
export type Handler = (call: Call, realm: Realm) => Response | Promise<Response>

/** One endpoint of a realm. */
export interface Endpoint {
  /** Under `{base}/realms/{realm}`. */
  readonly path: string
  readonly methods: { readonly GET?: Handler; readonly POST?: Handler }
  /** How another method is answered; 405 where it is not said. */
  readonly wrongMethodStatus?: 404
  /** Whether a person or a program reads its answers, errors included. */
  readonly audience: 'person' | 'program'
  /** Which pages of other origins may read its answers: any, or those of the web origins of the calling client. */
  readonly cors?: 'any' | 'client'
}
