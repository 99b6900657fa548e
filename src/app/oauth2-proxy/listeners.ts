import type { Server } from 'node:net'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls'
import type { Log } from '../../kit/log.ts'
import type { ServerOptions } from '../../proxy/alpha/alpha-options.ts'
import { parseBindAddress } from '../listening/bind-address.ts'
import { listenAt, portOf } from '../listening/listen-at.ts'
import { openServer, type RequestHandler } from '../open-server.ts'
import { fingerprint, watchFiles } from '../watch-files.ts'
import { certificateFiles, loadCertificate } from './certificate.ts'

/** Listeners of one kind of requests. */
export interface Listeners {
  /** Ports in use, plain and by TLS; `undefined` where there is none. */
  readonly ports: { readonly plain: number | undefined; readonly secure: number | undefined }
  /** Looks now whether the certificate has changed, which is done every two seconds anyway. */
  check(): void
  close(graceMilliseconds: number): Promise<void>
}

/**
 * Listens at `bindAddress`, at `secureBindAddress`, or at both. A certificate that is written anew is used from the next
 * connection on; one that cannot be used is told, and the earlier one stays.
 * @throws GatehouseError `listen` or `config`.
 */
export async function openListeners(
  options: ServerOptions,
  { handler, log }: { handler: RequestHandler; log: Log },
): Promise<Listeners> {
  const plainAddress = parseBindAddress(options.bindAddress)
  const secureAddress = parseBindAddress(options.secureBindAddress)
  const opened = openServer({ log })
  opened.serve(handler)
  const secure = secureAddress && openTls(options, opened.server, log)
  try {
    if (plainAddress) await listenAt(opened.server, plainAddress)
    if (secure && secureAddress) await listenAt(secure.server, secureAddress)
  } catch (error) {
    secure?.close()
    await opened.close(0)
    throw error
  }
  return {
    ports: { plain: portOf(opened.server), secure: secure && portOf(secure.server) },
    check: () => secure?.check(),
    async close(graceMilliseconds) {
      secure?.close()
      await opened.close(graceMilliseconds)
    },
  }
}

/** A TLS server whose connections the plain one answers, so that its limits hold for both. */
function openTls({ tls }: ServerOptions, inner: Server, log: Log): { server: TlsServer; check(): void; close(): void } {
  const files = certificateFiles(tls)
  const since = fingerprint(files)
  const server = createTlsServer({ ...loadCertificate(tls), ALPNProtocols: ['http/1.1'], handshakeTimeout: 15_000 })
  server.on('secureConnection', (socket) => inner.emit('connection', socket))
  server.on('tlsClientError', (error, socket) => {
    log.debug('a TLS handshake failed', { error: error.message })
    socket.destroy()
  })
  const watched =
    files.length > 0
      ? watchFiles({
          path: files,
          since,
          load: () => loadCertificate(tls),
          apply: (context) => server.setSecureContext(context),
          log,
        })
      : undefined
  return {
    server,
    check: () => watched?.check(),
    close() {
      watched?.close()
      server.close()
    },
  }
}
