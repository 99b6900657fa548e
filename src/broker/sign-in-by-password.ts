import type { RequestContext } from '../http/part.ts'
import type { Broker } from './broker.ts'
import type { Outcome } from './connectors/connector.ts'
import type { OpenConnector } from './connectors/index.ts'

/** How signing in by password ended; `too-many`: it was not even tried. */
export type PasswordOutcome = Outcome | { readonly kind: 'too-many'; readonly waitSeconds: number }

/** Attempts that cost nothing: for one account from one address, and from one address for any account. */
export const freePasswordAttempts = [5, 50] as const

/**
 * Checks a name and a password at a connector, for the login page and the password grant alike. Guessing is slowed down
 * before anything is hashed; nobody can lock an account for its owner, who comes from another address.
 */
export async function signInByPassword(
  { passwordAttempts, log }: Broker,
  connector: OpenConnector,
  { username, password, context }: { username: string; password: string; context: RequestContext },
): Promise<PasswordOutcome> {
  if (!connector.password) return { kind: 'wrong-password' }
  const { clientAddress, requestId } = context
  const keys = [JSON.stringify([connector.id, clientAddress, username.toLowerCase()]), clientAddress]
  const waitSeconds = passwordAttempts.begin(keys)
  if (waitSeconds !== undefined) {
    log.warn('password attempts slowed down', { requestId, connector: connector.id, clientAddress, waitSeconds })
    return { kind: 'too-many', waitSeconds }
  }
  const outcome = await connector.password.login(username, password)
  if (outcome.kind === 'authenticated') passwordAttempts.succeed(keys)
  else log.info('sign-in refused', { requestId, connector: connector.id, clientAddress, reason: outcome.kind })
  return outcome
}
