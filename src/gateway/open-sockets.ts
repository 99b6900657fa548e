import type { Duplex } from 'node:stream'

/** Sockets that were upgraded and so outlive their request. */
export interface OpenSockets {
  add(socket: Duplex): void
  closeAll(): void
}

/** Keeps upgraded sockets until they close. */
export function openSockets(): OpenSockets {
  const sockets = new Set<Duplex>()
  return {
    add(socket) {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
    },
    closeAll() {
      for (const socket of sockets) socket.destroy()
    },
  }
}
