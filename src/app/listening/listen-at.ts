import { chmodSync, rmSync } from 'node:fs'
import { connect, type Server } from 'node:net'
import { fail, GatehouseError } from '../../kit/errors.ts'
import { backlog } from './backlog.ts'
import { type BindAddress, describeAddress } from './bind-address.ts'

/**
 * Listens at an address; a socket that a killed program has left behind is taken over.
 * @throws GatehouseError `listen` where it cannot be had.
 */
export async function listenAt(server: Server, address: BindAddress): Promise<void> {
  const isLeftBehind = address.kind === 'unix' && (await isDeadSocket(address.path))
  if (isLeftBehind) rmSync(address.path)
  const error = await tryListen(server, address)
  if (error) {
    const isTaken = 'code' in error && error.code === 'EADDRINUSE'
    const reason = isTaken ? 'another program listens there; stop it, or name another address' : error.message
    throw new GatehouseError('listen', `listen ${describeAddress(address)} failed: ${reason}`, { cause: error })
  }
  if (address.kind !== 'unix' || address.mode === undefined) return
  try {
    chmodSync(address.path, address.mode)
  } catch (cause) {
    fail('listen', `cannot set unix socket file mode on ${address.path}`, { cause })
  }
}

/** Whether a socket is there that nobody listens on: a program that was killed has left it behind. */
function isDeadSocket(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy()
      resolve(false)
    })
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'))
  })
}

function tryListen(server: Server, address: BindAddress): Promise<Error | undefined> {
  return new Promise((resolve) => {
    server.once('error', resolve)
    server.listen({ ...listenOptions(address), backlog }, () => {
      server.off('error', resolve)
      resolve(undefined)
    })
  })
}

function listenOptions(address: BindAddress) {
  switch (address.kind) {
    case 'tcp':
      return { port: address.port, ...(address.host === undefined ? {} : { host: address.host }) }
    case 'unix':
      return { path: address.path }
    case 'descriptor':
      return { fd: address.descriptor }
  }
}

/** The port in use; `undefined` for what is no TCP listener. */
export function portOf(server: Server): number | undefined {
  const address = server.address()
  return typeof address === 'object' && address ? address.port : undefined
}
