import { verify } from '@node-rs/bcrypt'
import { type Authentication, type Connector, ConnectorError, type Outcome } from './connector.ts'

/** One user of the password database (`staticPasswords[]`). */
export interface PasswordEntry {
  readonly email: string
  /** A bcrypt hash. */
  readonly hash: string
  readonly username: string
  readonly name: string
  readonly preferredUsername: string
  readonly emailVerified: boolean
  readonly userID: string
  readonly groups: readonly string[]
}

/** Password checks under way at once; they share their threads with the signing of tokens. */
const mostChecks = 64

/**
 * The password database (`enablePasswordDB`, `staticPasswords`): e-mail in any case, bcrypt off the event loop, and an
 * unknown user costs the same time as a wrong password (dex server/server.go `passwordDB`).
 */
export function openLocalConnector(passwords: readonly PasswordEntry[]): Connector {
  const byEmail = new Map(passwords.map((password) => [password.email.toLowerCase(), password]))
  const decoy = decoyHash(passwords)
  let checks = 0

  async function isPassword(password: string, hash: string): Promise<boolean> {
    if (checks >= mostChecks) throw new ConnectorError('unavailable', 'too many password checks at once')
    checks += 1
    try {
      return await verify(password, hash)
    } finally {
      checks -= 1
    }
  }

  return {
    password: {
      prompt: 'Email Address',
      async login(username, password): Promise<Outcome> {
        const found = byEmail.get(username.toLowerCase())
        const isRight = await isPassword(password, found?.hash ?? decoy)
        return found && isRight ? { kind: 'authenticated', ...authenticationOf(found) } : { kind: 'wrong-password' }
      },
    },
    refresh: {
      async refresh({ identity, connectorData }): Promise<Outcome> {
        const found = byEmail.get((connectorData ?? identity.email).toLowerCase())
        if (found?.userID !== identity.userId || found === undefined) {
          return { kind: 'refused', reason: 'disabled', detail: 'the user is no longer in the password db' }
        }
        return { kind: 'authenticated', ...authenticationOf(found) }
      },
    },
  }
}

function authenticationOf(found: PasswordEntry): Authentication {
  const { email, userID, username, name, preferredUsername, emailVerified, groups } = found
  return {
    identity: { userId: userID, username: name || username, preferredUsername, email, emailVerified, groups },
    connectorData: email,
  }
}

/** A hash nobody knows the password of, as slow as the slowest real one. */
function decoyHash(passwords: readonly PasswordEntry[]): string {
  const costs = passwords.map(({ hash }) => hash.split('$')[2] ?? '10')
  return `$2b$${costs.sort().at(-1) ?? '10'}$xYCn4ZbqWaUXna05GJ.ge.niz1Oz989smfwAH4TZkVAsUP27FjH3S`
}
