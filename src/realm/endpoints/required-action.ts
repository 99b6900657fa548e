import { readForm } from '../../http/forms.ts'
import { browserHash, browserId, browserSession } from '../login/cookies.ts'
import { askForNewPassword, finishSignIn, type PasswordUpdate, seenPassword } from '../login/sign-in.ts'
import { PageError } from '../page-error.ts'
import type { Realm } from '../realm.ts'
import type { Call } from './endpoint.ts'

const startAgain = 'This page has expired. Please sign in again through your application.'

/** `login-actions/required-action`: takes the new password of a user who had to choose one, then goes on with the login. */
export async function requiredAction({ request, url, context }: Call, realm: Realm): Promise<Response> {
  const update = realm.updateSealer.open(url.searchParams.get('session_code') ?? '') as PasswordUpdate | undefined // sealed by this realm
  const browser = browserId(request)
  if (!update || browser === undefined || browserHash(browser) !== update.login.browser) throw new PageError(startAgain)
  const user = await realm.users.load(update.userId)
  const password = user && (await realm.users.credentials(user.id)).password
  if (!user?.enabled || !password || seenPassword(password) !== update.seen) throw new PageError(startAgain)

  const form = await readForm(request)
  const error = passwordFault(form)
  if (error !== undefined) return askForNewPassword(realm, update, { user, password, error })
  await realm.users.setPassword(user.id, await realm.hasher.hash(form.get('password-new') ?? ''))
  await realm.users.setRequiredActions(
    user.id,
    user.requiredActions.filter((action) => action !== 'UPDATE_PASSWORD'),
  )
  const old = await browserSession(realm, request)
  return finishSignIn(realm, update, { user, old, address: context.clientAddress })
}

function passwordFault(form: URLSearchParams): string | undefined {
  const password = form.get('password-new') ?? ''
  if (password === '') return 'Please specify password.'
  return password === form.get('password-confirm') ? undefined : "Passwords don't match."
}
