import { createHash } from 'node:crypto'
import type { Clock } from '../../kit/clock.ts'
import type { Records } from '../../store/records.ts'
import type { RealmSettings } from '../model.ts'

/** Slows down guessing. An attempt is counted before its password is looked at, so that parallel ones all count. */
export interface Throttle {
  /** Counts an attempt on an account from an address; `false` when it must not even be tried. */
  admit(account: string, address: string): Promise<boolean>
  /** Forgets the failures of both: the right password came. */
  forget(account: string, address: string): Promise<void>
  /** Forgets the account's failures from anywhere (an administrator lets the user in again). */
  release(account: string): Promise<void>
}

/** How many failures are free, and how long the one after the nth must wait, in milliseconds. */
interface Limit {
  readonly free: number
  wait(failures: number): number
}

/** Always on: five guesses for an account from one address, then 1, 2, 4 … 300 seconds between two. */
const perAddress: Limit = { free: 5, wait: (failures) => Math.min(300_000, 1000 * 2 ** (failures - 5)) }

/** Always on, from all addresses together: high, so that strangers cannot keep a user out for long. */
const perAccount: Limit = { free: 100, wait: (failures) => Math.min(10_000, 100 * 2 ** (failures - 100)) }

/**
 * Always on, from one address over all accounts: trying name after name would otherwise leave two records for each. Mild,
 * and cleared by every sign-in that succeeds, so that an office behind one address is not shut out by one of its own.
 */
const perSource: Limit = { free: 1000, wait: (failures) => Math.min(1000, 10 * 2 ** (failures - 1000)) }

const windowMs = 12 * 3600 * 1000

/** Opens a realm's throttle over records, so that all replicas count together. */
export function openThrottle({
  records,
  clock,
  realmId,
  settings,
}: {
  records: Records
  clock: Clock
  realmId: string
  settings: RealmSettings
}): Throttle {
  const failures = records.collection<null>('realm-login-failures')
  const turns = records.collection<null>('realm-login-turns')
  const accountLimit = settings.bruteForceProtected ? bruteForceLimit(settings) : perAccount
  const lifetime = settings.bruteForceProtected ? settings.maxDeltaTimeSeconds * 1000 : windowMs
  // Hashed: what people type into a user name field is sometimes their password.
  const idOf = (...parts: string[]) =>
    createHash('sha256')
      .update([realmId, ...parts].join('\0'))
      .digest('base64url')
  const sourceOf = (address: string) => idOf('address', address)

  async function count(id: string): Promise<number> {
    for (;;) {
      if (await failures.create(id, null, clock.now() + lifetime)) return (await failures.use(id))?.uses ?? 1
      const used = await failures.use(id)
      if (used) return used.uses
    }
  }

  async function admitBy(id: string, { free, wait }: Limit): Promise<boolean> {
    const attempts = await count(id)
    if (attempts < free) return true
    // A turn is a record that lives as long as the wait: creating it succeeds for one caller, and again when it is gone.
    return turns.create(id, null, clock.now() + wait(attempts))
  }

  async function forgetBy(id: string): Promise<void> {
    await failures.delete(id)
    await turns.delete(id)
  }

  return {
    async admit(account, address) {
      if (!(await admitBy(sourceOf(address), perSource))) return false
      if (!(await admitBy(idOf(account, address), perAddress))) return false
      return admitBy(idOf(account), accountLimit)
    },
    async forget(account, address) {
      await forgetBy(sourceOf(address))
      await forgetBy(idOf(account, address))
      await forgetBy(idOf(account))
    },
    release: (account) => forgetBy(idOf(account)),
  }
}

/** What the realm asks for (Keycloak's DefaultBruteForceProtector): per account, whatever the address. */
function bruteForceLimit(settings: RealmSettings): Limit {
  const { failureFactor, waitIncrementSeconds, maxFailureWaitSeconds, bruteForceStrategy, permanentLockout } = settings
  return {
    free: failureFactor,
    wait(failures) {
      if (permanentLockout) return Number.MAX_SAFE_INTEGER / 2
      const steps =
        bruteForceStrategy === 'LINEAR' ? failures - failureFactor + 1 : Math.floor(failures / failureFactor)
      return Math.min(maxFailureWaitSeconds, waitIncrementSeconds * steps) * 1000
    },
  }
}
