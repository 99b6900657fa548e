import type { Realm } from '../realm.ts'
import type { User } from '../user.ts'
import { isOutdated, nobodysPassword } from './hash-password.ts'
import type { StoredPassword } from './stored-password.ts'

/** What came of a user name and password. */
export type PasswordOutcome =
  | {
      readonly kind: 'right'
      readonly user: User
      readonly password: StoredPassword
      /** Types of credentials the user has beside the password: `otp`, `webauthn`, … */
      readonly secondFactors: readonly string[]
    }
  | { readonly kind: 'wrong'; readonly reason: 'unknown-user' | 'no-password' | 'bad-password' | 'too-many-failures' }
  /** The password was right, but the user may not come in. */
  | { readonly kind: 'disabled'; readonly user: User }

/**
 * Checks a password. An unknown user costs as much as a known one, so that neither time nor answer tells them apart; a
 * guess is counted before it is looked at. @throws GatehouseError `overloaded`
 */
export async function checkPassword(
  realm: Realm,
  { username, password, address }: { username: string; password: string; address: string },
): Promise<PasswordOutcome> {
  const user = await findUser(realm, username)
  const account = user ? `id:${user.id}` : `name:${username.toLowerCase()}`
  if (!(await realm.throttle.admit(account, address))) return { kind: 'wrong', reason: 'too-many-failures' }
  const stored = user && (await realm.users.credentials(user.id))
  const isRight = await realm.hasher.verify(password, stored?.password ?? nobodysPassword, address)
  if (!user) return { kind: 'wrong', reason: 'unknown-user' }
  if (!stored?.password) return { kind: 'wrong', reason: 'no-password' }
  if (!isRight) return { kind: 'wrong', reason: 'bad-password' }
  await realm.throttle.forget(account, address)
  if (!user.enabled) return { kind: 'disabled', user }
  return {
    kind: 'right',
    user,
    password: await refreshHash(realm, user, stored.password, password),
    secondFactors: stored.others,
  }
}

/** A hash of another make (an import's, an older release's) is replaced now that the password is known. */
async function refreshHash(
  realm: Realm,
  user: User,
  stored: StoredPassword,
  password: string,
): Promise<StoredPassword> {
  if (!isOutdated(stored)) return stored
  const fresh = await realm.hasher.hash(password)
  await realm.users.setPassword(user.id, fresh)
  return fresh
}

/** By e-mail address first where the name looks like one (KeycloakModelUtils.findUserByNameOrEmail); service accounts never. */
async function findUser({ users, model }: Realm, username: string): Promise<User | undefined> {
  const name = username.trim()
  const { loginWithEmailAllowed, duplicateEmailsAllowed } = model.settings
  const mayBeEmail = name.includes('@') && loginWithEmailAllowed && !duplicateEmailsAllowed
  const user = (mayBeEmail ? await users.findByEmail(name) : undefined) ?? (await users.findByUsername(name))
  return user?.serviceAccountClientId === undefined ? user : undefined
}
