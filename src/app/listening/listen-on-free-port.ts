import type { Server } from 'node:http'
import { GatehouseError } from '../../kit/errors.ts'
import { backlog } from './backlog.ts'

const portsToTry = 20

/**
 * Listens on `port`, or on the next free one. With `isExact` a taken port is an error instead.
 * @returns the port in use.
 * @throws GatehouseError `listen` where none could be had.
 */
export async function listenOnFreePort(
  server: Server,
  { port, host, isExact = false }: { port: number; host: string | undefined; isExact?: boolean },
): Promise<number> {
  const last = isExact || port === 0 ? port : Math.min(65_535, port + portsToTry - 1)
  for (let candidate = port; candidate <= last; candidate += 1) {
    const error = await tryListen(server, candidate, host)
    if (!error) {
      const address = server.address()
      return typeof address === 'object' && address ? address.port : candidate
    }
    if (error.code !== 'EADDRINUSE') {
      throw new GatehouseError(
        'listen',
        `cannot listen on port ${candidate} (${error.message}); choose another with --port`,
        { cause: error },
      )
    }
  }
  const tried = last === port ? `port ${port} is taken` : `ports ${port} to ${last} are taken`
  throw new GatehouseError('listen', `${tried}; choose another with --port`)
}

function tryListen(server: Server, port: number, host: string | undefined): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    const settle = (error?: NodeJS.ErrnoException) => {
      server.off('error', settle)
      server.off('listening', listening)
      resolve(error)
    }
    const listening = () => settle()
    server.once('error', settle)
    server.once('listening', listening)
    server.listen({ port, backlog, ...(host === undefined ? {} : { host }) })
  })
}
