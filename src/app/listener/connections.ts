import type { Socket } from 'node:net'
import type { CutLog } from './cut-log.ts'
import type { Limits } from './limits.ts'

/** A connection as its protocol sees it. */
export interface Conversation {
  /** Whether nothing is asked on it at the moment. */
  readonly isIdle: boolean
  /** Whether a whole request ever came. */
  readonly hasAsked: boolean
  /** Why it is to be cut now, if it is. */
  judge(now: number): string | undefined
  /** Ends it politely: nothing new is answered, what is under way may finish. */
  end(): void
}

/** Every connection of the listener. */
export interface Connections {
  /** Makes room for a connection. `false` where there is none: the socket has been closed. */
  admit(socket: Socket): boolean
  /** From now on this is what is said on it; before, it waits for its first bytes. */
  set(socket: Socket, conversation: Conversation): void
  get(socket: Socket): Conversation | undefined
  /** Cuts what has been waited for long enough. */
  sweep(): void
  /** Ends all of them politely. */
  endAll(): void
  cutAll(): void
}

/** How many connections are looked at to find one that nobody would miss. */
const looks = 64

interface Entry {
  readonly socket: Socket
  readonly group: Group
  conversation: Conversation
}

/** The connections of one client address, the longest here first. */
type Group = Set<Entry>

/**
 * Keeps the connections within their limits. A full house makes room by cutting one that waits for its client, since
 * somebody who has something to ask comes first; only where every one it looks at is busy is the newcomer turned away.
 */
export function openConnections(
  limits: Limits,
  { now, cuts, perAddress }: { now: () => number; cuts: CutLog; perAddress: () => number },
): Connections {
  const entries = new Map<Socket, Entry>()
  const all: Group = new Set()
  const groups = new Map<string, Group>()

  function forget(entry: Entry): void {
    if (!entries.delete(entry.socket)) return
    all.delete(entry)
    entry.group.delete(entry)
    const address = groupOf(entry.socket)
    if (entry.group.size === 0 && groups.get(address) === entry.group) groups.delete(address)
  }

  function makeRoom(group: Group, limit: number): boolean {
    if (group.size < limit) return true
    const victim = leastMissed(group)
    if (!victim) return false
    forget(victim)
    victim.socket.destroy()
    return true
  }

  function refuse(socket: Socket, reason: string): false {
    cuts.tell(reason)
    socket.destroy()
    return false
  }

  return {
    admit(socket) {
      const address = groupOf(socket)
      const group: Group = groups.get(address) ?? new Set()
      if (group.size >= perAddress()) cuts.tell('too many connections from one address')
      if (!makeRoom(group, perAddress())) return refuse(socket, 'no idle connection to give up')
      if (all.size >= limits.connections) cuts.tell('too many connections')
      if (!makeRoom(all, limits.connections)) return refuse(socket, 'no idle connection to give up')
      groups.set(address, group)
      const entry = { socket, group, conversation: unspoken(now() + limits.head, socket) }
      entries.set(socket, entry)
      all.add(entry)
      group.add(entry)
      socket.once('close', () => forget(entry))
      return true
    },
    set(socket, conversation) {
      const entry = entries.get(socket)
      if (entry) entry.conversation = conversation
    },
    get: (socket) => entries.get(socket)?.conversation,
    sweep() {
      const at = now()
      for (const entry of all) {
        const reason = entry.conversation.judge(at)
        if (reason === undefined) continue
        cuts.tell(reason)
        forget(entry)
        entry.socket.destroy()
      }
    },
    endAll() {
      for (const { conversation } of all) conversation.end()
    },
    cutAll() {
      for (const { socket } of all) socket.destroy()
    },
  }
}

/**
 * One that never asked anything, else one that waits for its next request; of these the longest here. Who was looked at
 * goes to the end, so that a full house of busy ones is not looked through again and again.
 */
function leastMissed(group: Group): Entry | undefined {
  let idle: Entry | undefined
  for (const entry of [...take(group, looks)]) {
    group.delete(entry)
    group.add(entry)
    if (!entry.conversation.isIdle) continue
    if (!entry.conversation.hasAsked) return entry
    idle ??= entry
  }
  return idle
}

function* take(group: Group, count: number): Generator<Entry> {
  let left = count
  for (const entry of group) {
    if (left-- === 0) return
    yield entry
  }
}

/** Nothing has come yet that would tell the protocol. */
function unspoken(until: number, socket: Socket): Conversation {
  return {
    isIdle: true,
    hasAsked: false,
    judge: (now) => (now > until ? 'no request' : undefined),
    end: () => socket.destroy(),
  }
}

/** A client address; of IPv6 the network, since its hosts are its owner's to make up. */
function groupOf({ remoteAddress = '' }: Socket): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(remoteAddress)?.[1]
  if (mapped !== undefined) return mapped
  return remoteAddress.includes(':') ? firstGroups(remoteAddress) : remoteAddress
}

/** The first 64 bits of an IPv6 address, written out. */
function firstGroups(address: string): string {
  const [before = '', after] = address.replace(/%.*$/, '').split('::')
  const left = before === '' ? [] : before.split(':')
  const right = after === undefined || after === '' ? [] : after.split(':')
  const zeros = after === undefined ? 0 : Math.max(0, 8 - left.length - right.length)
  return [...left, ...Array<string>(zeros).fill('0'), ...right].slice(0, 4).join(':')
}
