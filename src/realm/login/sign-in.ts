import { lookOf } from '../pages/look.ts'
import { pageAnswer } from '../pages/page-answer.ts'
import { updatePasswordPage } from '../pages/update-password-page.ts'
import type { StoredPassword } from '../passwords/stored-password.ts'
import type { Realm } from '../realm.ts'
import type { Session } from '../session.ts'
import type { User } from '../user.ts'
import { completeLogin } from './complete-login.ts'
import { browserHash, newBrowserId } from './cookies.ts'
import type { LoginUnderWay } from './login-form.ts'

/** A login whose password was right. */
export interface ProvenLogin {
  readonly login: LoginUnderWay
  readonly isRemembered: boolean
}

/** A login whose password was right but must be changed first; sealed into the form that asks for the new one. */
export interface PasswordUpdate extends ProvenLogin {
  readonly userId: string
  /** The hash of the password's hash: once it has been changed, the form is worth nothing. */
  readonly seen: string
}

/** Signs the browser in and sends it back to the client. */
export async function finishSignIn(
  realm: Realm,
  { login, isRemembered }: ProvenLogin,
  { user, old, address }: { user: User; old: Session | undefined; address: string },
): Promise<Response> {
  const session = await startSession(realm, { user, old, isRemembered, address })
  realm.log.info('signed in', { clientId: login.request.clientId, address, userId: user.id })
  const response = await completeLogin(realm, { request: login.request, session, acr: '1' })
  response.headers.append('set-cookie', newBrowserId(realm).cookie)
  return response
}

/** A new session under a new id; proving again who one is renews one's own, and ends someone else's. */
async function startSession(
  realm: Realm,
  {
    user,
    old,
    isRemembered,
    address,
  }: { user: User; old: Session | undefined; isRemembered: boolean; address: string },
): Promise<Session> {
  if (old?.userId === user.id) return realm.sessions.reauthenticate(old)
  if (old) await realm.sessions.end(old.id)
  return realm.sessions.start({
    userId: user.id,
    authenticatedAt: realm.clock.now(),
    rememberMe: isRemembered,
    clientAddress: address,
  })
}

const updateLifetimeMs = 300_000

/** Asks for a new password. */
export function askForNewPassword(
  realm: Realm,
  proven: ProvenLogin,
  { user, password, error }: { user: User; password: StoredPassword; error?: string },
): Promise<Response> {
  const update: PasswordUpdate = { ...proven, userId: user.id, seen: seenPassword(password) }
  const query = new URLSearchParams({
    session_code: realm.updateSealer.seal(update, updateLifetimeMs),
    execution: 'UPDATE_PASSWORD',
    client_id: proven.login.request.clientId,
  })
  const action = `${realm.issuer}/login-actions/required-action?${query}`
  const { username } = user
  return pageAnswer(
    updatePasswordPage({ action, username, ...lookOf(realm), ...(error === undefined ? {} : { error }) }),
  )
}

/** What a `PasswordUpdate` remembers of the password it replaces. */
export function seenPassword({ secret }: StoredPassword): string {
  return browserHash(secret.value)
}
