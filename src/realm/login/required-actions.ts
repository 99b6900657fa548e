import type { User } from '../user.ts'

/** Actions that ask the user for something but guard nothing: a browser login goes on without them. */
const harmless: ReadonlySet<string> = new Set([
  'UPDATE_PROFILE',
  'VERIFY_PROFILE',
  'TERMS_AND_CONDITIONS',
  'UPDATE_EMAIL',
  'delete_account',
  'delete_credential',
  'idp_link',
  'update_user_locale',
])

/** What stands between a right password and a session in a browser. */
export type PendingAction =
  | { readonly kind: 'none' }
  | { readonly kind: 'update-password' }
  /** Something this realm cannot ask for yet; coming in without it would skip what an administrator demands. */
  | { readonly kind: 'unsupported'; readonly names: readonly string[] }

/** The next thing the user has to do, by Keycloak's aliases for required actions. */
export function pendingAction(user: User, secondFactors: readonly string[]): PendingAction {
  const names = user.requiredActions.filter(
    (action) => !harmless.has(action) && !(action === 'VERIFY_EMAIL' && user.emailVerified),
  )
  const unsupported = [...names.filter((name) => name !== 'UPDATE_PASSWORD'), ...secondFactors]
  if (unsupported.length > 0) return { kind: 'unsupported', names: unsupported }
  return names.length > 0 ? { kind: 'update-password' } : { kind: 'none' }
}
