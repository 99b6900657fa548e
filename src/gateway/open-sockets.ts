import type { EndedSessions, SessionNames } from '../oidc/ended-sessions.ts'

/** What outlives the moment its request was judged: an upgraded socket, an answer without a known end. */
export interface Lasting {
  destroy(): unknown
  once(event: 'close', listener: () => void): unknown
}

/** Sockets and streams that stay open, each until one of the sessions it was opened with ends. */
export interface OpenSockets {
  add(socket: Lasting, sessions: readonly (SessionNames | undefined)[]): void
  /** Closes every one, and watches no longer. */
  closeAll(): void
}

/** Keeps what stays open. A token that expires meanwhile breaks nothing; a sign-out closes it. */
export function openSockets(ended: EndedSessions | undefined): OpenSockets {
  const open = new Map<Lasting, readonly SessionNames[]>()
  const stop = ended?.onEnded(() => {
    for (const [socket, sessions] of open) closeIfOver(socket, sessions)
  })

  function closeIfOver(socket: Lasting, sessions: readonly SessionNames[]): void {
    if (sessions.some((one) => ended?.isEnded(one))) socket.destroy()
  }

  return {
    add(socket, sessions) {
      const known = sessions.filter((one) => one !== undefined)
      open.set(socket, known)
      socket.once('close', () => open.delete(socket))
      closeIfOver(socket, known) // it may have ended while the app was being reached
    },
    closeAll() {
      stop?.()
      for (const socket of open.keys()) socket.destroy()
    },
  }
}
