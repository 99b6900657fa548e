import { constants, type Http2Server, type ServerHttp2Session } from 'node:http2'
import { fail } from '../../kit/errors.ts'
import type { Log } from '../../kit/log.ts'
import { type GrpcProxy, openExtAuthzGrpc } from '../../proxy/transports/ext-authz-grpc.ts'
import { parseBindAddress } from './bind-address.ts'
import { listenAt, portOf } from './listen-at.ts'

/** A listener for the check by gRPC. */
export interface GrpcListener {
  readonly port: number | undefined
  /** Stops accepting and lets calls under way finish; after `graceMilliseconds` cuts what is left. */
  close(graceMilliseconds: number): Promise<void>
}

/**
 * Listens for the check by gRPC (`grpc_address`), without TLS, as Envoys ask inside a cluster. `proxy` is asked for at
 * each call. `undefined` where no address is configured. @throws GatehouseError `listen` or `config`.
 */
export async function openGrpcListener(
  text: string,
  { proxy, log }: { proxy: () => GrpcProxy; log: Log },
): Promise<GrpcListener | undefined> {
  const address = text === '' ? undefined : parseGrpcAddress(text)
  if (!address) return undefined
  const current: GrpcProxy = {
    check: (request) => proxy().check(request),
    ready: () => proxy().ready(),
    isOwnCookie: (name) => proxy().isOwnCookie(name),
    isIdentityHeader: (name) => proxy().isIdentityHeader(name),
  }
  const server = openExtAuthzGrpc(current, log)
  const sessions = new Set<ServerHttp2Session>()
  server.on('session', (session) => {
    sessions.add(session)
    session.on('close', () => sessions.delete(session))
  })
  await listenAt(server, address)
  return { port: portOf(server), close: (grace) => closeServer(server, sessions, grace) }
}

function parseGrpcAddress(text: string) {
  return parseBindAddress(text) ?? fail('config', `grpc_address: cannot listen on \`${text}\`; write \`host:port\``)
}

function closeServer(server: Http2Server, sessions: ReadonlySet<ServerHttp2Session>, grace: number): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => {
      for (const session of sessions) session.destroy(undefined, constants.NGHTTP2_NO_ERROR)
    }, grace)
    server.close(() => {
      clearTimeout(cut)
      resolve()
    })
    for (const session of sessions) session.close()
  })
}
