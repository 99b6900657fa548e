import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { RelyingParty } from './platform-files.ts'

/** The address of an application that waits for browsers to come back to it. */
export interface WaitingParty extends RelyingParty {
  close(): Promise<void>
}

/** Listens where a relying party would; what comes back there is read from the browser's address. */
export async function waitingParty(): Promise<WaitingParty> {
  const server = createServer((_request, response) => response.end('back at the application'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // it listens on a port
  const origin = `http://127.0.0.1:${port}`
  return {
    id: 'grafana',
    secret: 'Vw3nE8qLx0ZtBfK5sGdC',
    redirectUri: `${origin}/callback`,
    signedOutUri: `${origin}/signed-out`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}
