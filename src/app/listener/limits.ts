/** How long clients are waited for, in milliseconds, and how much of everything one of them gets. */
export interface Limits {
  /** For the head of a first request. */
  readonly head: number
  /** For the next `bodyMinimum` bytes of a body, and for a client to read on in an answer. */
  readonly bodyIdle: number
  /** Bytes of a body that must come in each `bodyIdle`. */
  readonly bodyMinimum: number
  /** For the rest of a body that nobody wants any more: its request has been answered. */
  readonly unwantedBody: number
  /** For the next request on a connection. */
  readonly keepAlive: number
  /** Connections at one time. */
  readonly connections: number
  /** Of them from one client address, or one IPv6 network of 64 bits. */
  readonly connectionsPerAddress: number
  /** Requests sent on one HTTP/1.1 connection before the answer to the first. */
  readonly pipelined: number
  /** Requests on one HTTP/2 connection at one time. */
  readonly streams: number
  /** Bytes of bodies, both ways, that wait in one HTTP/2 connection for who is to take them. */
  readonly waitingBytes: number
  /** Streams of an HTTP/2 connection after which it is judged how many of them the client took back at once. */
  readonly judgedStreams: number
  /** SETTINGS frames, and PING frames while nothing is asked, in each `bodyIdle`. */
  readonly controlFrames: number
}

/**
 * Generous to any client that means well: 60 seconds are also what nginx waits for a body or a reader; 500 streams, half
 * of them reset, are Envoy's rule against rapid resets (CVE-2023-44487). Streams are many because Node counts one a
 * little longer than its client does, and resets what is too much: a client that makes all use of its streams would see
 * calls fail.
 */
export const defaultLimits: Limits = {
  head: 15_000,
  bodyIdle: 60_000,
  bodyMinimum: 1024,
  unwantedBody: 10_000,
  keepAlive: 75_000,
  connections: 10_000,
  connectionsPerAddress: 2500,
  pipelined: 100,
  streams: 1000,
  waitingBytes: 32 * 1024 * 1024,
  judgedStreams: 500,
  controlFrames: 100,
}

/** Bytes of all headers of one request: Envoy's limit (`max_request_headers_kb`). */
export const maxHeaderBytes = 60 * 1024
