import { GenerationCache } from '../../kit/cache.ts'
import { epochSeconds } from '../../kit/clock.ts'
import type { Leases } from '../../store/leases.ts'
import { yearSeconds } from './session-life.ts'
import { sessionId } from './session-names.ts'
import type { KeptSession, SessionStore, SessionStoreOptions } from './session-store.ts'
import { openSignedValue, signValue } from './signed-value.ts'
import { formatTicket, newTicket, openUnderTicket, parseTicket, sealUnderTicket, type Ticket } from './ticket.ts'

/** Where sealed sessions are kept, by ticket id. */
export interface Vault {
  create(id: string, sealed: Buffer, lifetimeSeconds: number): Promise<void>
  find(id: string): Promise<Buffer | undefined>
  /** Only where there is one. */
  replace(id: string, sealed: Buffer, lifetimeSeconds: number): Promise<void>
  delete(id: string): Promise<void>
}

/** Sessions in a vault; the browser holds a signed ticket (oauth2-proxy pkg/sessions/persistence/manager.go). */
export function openTicketStore(
  { config, keys, clock, random, watch }: SessionStoreOptions,
  { vault, leases, isShared }: { readonly vault: Vault; readonly leases: Leases; readonly isShared: boolean },
): SessionStore {
  const { cookie_name: name } = config
  const lifetimeSeconds = Math.floor(config.cookie_expire / 1000)
  const keptSeconds = lifetimeSeconds || yearSeconds
  // Cookie texts by ticket id, of sessions that may be remembered.
  const texts = new GenerationCache<string>(10_000)
  let tell: (text: string) => void = () => {}

  function ticketOf(text: string): (Ticket & { readonly endsAt: number }) | undefined {
    const nowSeconds = epochSeconds(clock)
    const signed = openSignedValue(name, text, { secret: keys.secret, lifetimeSeconds, nowSeconds })
    const ticket = signed && parseTicket(signed.value.toString('latin1'), name)
    return ticket && { ...ticket, endsAt: (signed.signedAt + keptSeconds) * 1000 }
  }

  async function sessionOf(ticket: Ticket | undefined) {
    const sealed = ticket && (await vault.find(ticket.id))
    return sealed && openUnderTicket(sealed, ticket)
  }

  return {
    isShared,
    hearsChanges: () => !isShared || watch?.isLive() === true,
    listen(changed) {
      tell = changed
      watch?.listen((key) => {
        const text = key === undefined ? undefined : texts.get(key)
        if (key === undefined || text !== undefined) changed(text)
      })
    },
    async create(session) {
      const ticket = newTicket(name, random)
      await vault.create(ticket.id, sealUnderTicket(session, ticket, random), keptSeconds)
      const seconds = Math.floor(session.createdAt / 1000)
      return signValue(name, Buffer.from(formatTicket(ticket)), { secret: keys.secret, seconds })
    },
    async find(text) {
      const ticket = ticketOf(text)
      if (ticket) texts.set(ticket.id, text) // first: a change while it is read is heard
      const session = await sessionOf(ticket)
      return ticket && session && { id: sessionId(session, text), text, session, endsAt: ticket.endsAt }
    },
    latest: ({ text }) => sessionOf(ticketOf(text)),
    async replace({ text }, fresh) {
      const ticket = ticketOf(text)
      if (ticket) await vault.replace(ticket.id, sealUnderTicket(fresh, ticket, random), keptSeconds)
    },
    async end({ text }) {
      const ticket = ticketOf(text)
      if (ticket) await vault.delete(ticket.id)
      tell(text)
    },
    lease: (kept: KeptSession) => leases.acquire(ticketOf(kept.text)?.id ?? kept.id),
  }
}
