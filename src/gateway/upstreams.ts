import type { Part } from '../http/part.ts'

/** Where a destination leads. */
export type Upstream =
  | {
      readonly kind: 'part'
      /** Runs in this process. */
      readonly part: Part
      /** What its refusals are told under; the destination's host unless given. */
      readonly name?: string
      /** Is given WebSocket handshakes as plain requests; without it they are refused. */
      readonly takesHandshakes?: boolean
      /** Hides our own cookies from it, as from any app. Parts that keep sessions need theirs. */
      readonly hidesOwnCookies?: boolean
      /** Verifies the bearer tokens it is sent itself, as an issuer does with its own. */
      readonly verifiesTokens?: boolean
    }
  | {
      readonly kind: 'origin'
      /** `http://host:port` */
      readonly origin: string
      /** Speaks HTTP/2 without TLS (h2c). gRPC calls are sent so anyway. */
      readonly isHttp2?: boolean
    }

/** Finds where a host of a VirtualService or provider leads; `namespace` is where a short name is looked up. */
export type ResolveUpstream = (host: string, port: number | undefined, namespace: string) => Upstream | undefined
