import type { RequestOptions } from 'node:http'
import { isIP } from 'node:net'
import { getCACertificates, rootCertificates } from 'node:tls'
import { buildConnector, type Dispatcher, Pool } from 'undici'
import type { UpstreamOptions } from '../../../proxy/alpha/alpha-options.ts'

/** The server behind an `http`, `https` or `unix` upstream. */
export interface Origin {
  /** What the `Host` of requests is where the client's is not passed on. */
  readonly authority: string
  /** Sends a request on a connection that is kept alive. */
  dispatch(request: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void
  /** How a connection of its own is opened, for an upgrade. */
  readonly dial: RequestOptions & { readonly rejectUnauthorized?: boolean; readonly servername?: string; ca?: string[] }
  readonly isTls: boolean
  close(): Promise<void>
}

/** As long as Go's dialer waits for a connection, milliseconds. */
const connectTimeout = 30_000
/** Go keeps an idle connection for 90 seconds; many servers close theirs after 5, and tell only who asks next. */
const keepAliveTimeout = 4_000
/** How long the head of an answer may be, bytes. */
const maxHeaderSize = 256 * 1024

/**
 * Opens the connections of an upstream. Its certificate is judged by the name in `uri`, whatever `Host` is asked for.
 */
export function openOrigin(options: UpstreamOptions): Origin {
  const { uri, insecureSkipTLSVerify, disableKeepAlives } = options
  const unix = /^unix:\/\/[^/?#]*([^?#]*)/i.exec(uri)
  const url = new URL(unix ? 'http://localhost' : uri)
  const isTls = url.protocol === 'https:'
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const trust = isTls
    ? { ca: authorities(), rejectUnauthorized: !insecureSkipTLSVerify, servername: isIP(host) === 0 ? host : '' }
    : {}
  const socketPath = unix?.[1]
  const place = socketPath === undefined ? {} : { socketPath }
  const connect = buildConnector({ timeout: connectTimeout, allowH2: false, ...trust, ...place })
  const pool = new Pool(url.origin, {
    connect: (connection, done) => connect({ ...connection, ...trust }, done),
    maxHeaderSize,
    pipelining: disableKeepAlives ? 0 : 1,
    headersTimeout: 0, // counted by whoever asks
    bodyTimeout: 0,
    keepAliveTimeout,
    allowH2: false,
  })
  const port = url.port === '' ? (isTls ? 443 : 80) : Number(url.port)
  // undici would take the request's Host for the server's name, and leave a connection for every other Host
  const named = isTls ? { servername: host } : {}
  return {
    authority: url.host,
    dispatch: (request, handler) => void pool.dispatch({ ...request, ...named }, handler),
    dial: { host, port, maxHeaderSize, ...place, ...trust },
    isTls,
    close: () => pool.destroy(),
  }
}

/** Go believes the system's authorities; Node has its own list, and may be told of more (`NODE_EXTRA_CA_CERTS`). */
function authorities(): string[] {
  return [...new Set([...rootCertificates, ...getCACertificates('system'), ...getCACertificates('extra')])]
}
