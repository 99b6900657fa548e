import { openRecordLeases } from '../../store/leases.ts'
import type { Collection } from '../../store/records.ts'
import type { SessionStore, SessionStoreOptions } from './session-store.ts'
import { openTicketStore, type Vault } from './ticket-store.ts'

/** Sessions among the other records in the database; a store of ours, for one program without Redis. */
export function openSqliteStore(options: SessionStoreOptions): SessionStore {
  const { records, clock, random } = options
  const kept: Collection<string> = records.collection('proxy-sessions')
  const endOf = (lifetimeSeconds: number) => clock.now() + lifetimeSeconds * 1000
  const vault: Vault = {
    async create(id, sealed, lifetimeSeconds) {
      await kept.create(id, sealed.toString('base64url'), endOf(lifetimeSeconds))
    },
    async find(id) {
      const text = await kept.find(id)
      return text === undefined ? undefined : Buffer.from(text, 'base64url')
    },
    async replace(id, sealed, lifetimeSeconds) {
      await kept.update(id, () => sealed.toString('base64url'), endOf(lifetimeSeconds))
    },
    async delete(id) {
      await kept.delete(id)
    },
  }
  const leases = openRecordLeases(records, { name: 'proxy-leases', clock, random })
  return openTicketStore(options, { vault, leases, isShared: false })
}
