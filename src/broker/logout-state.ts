import type { Clock } from '../kit/clock.ts'
import type { Random } from '../kit/random.ts'
import { openStateSealer } from '../oidc/sealed-state.ts'

/** Where a sign-out ends; without `redirectUri` on a page of ours. */
export interface LogoutDestination {
  readonly clientId?: string
  /** One of the client's `postLogoutRedirectURIs`. */
  readonly redirectUri?: string
  readonly state?: string
}

/** Seals what a sign-out has to remember while the visitor is away or thinks. */
export interface LogoutStates {
  sealDestination(destination: LogoutDestination): string
  openDestination(text: string): LogoutDestination | undefined
  /** What the confirmation page carries, so that no other site can send its form. */
  sealConfirmation(confirmation: LogoutConfirmation): string
  openConfirmation(text: string): LogoutConfirmation | undefined
}

interface LogoutConfirmation {
  /** The session of the browser that was asked. */
  readonly sid: string
  /** The session the application named, where it is another. */
  readonly namedSid?: string
  readonly destination: LogoutDestination
}

const lifetime = 30 * 60_000

/** The same secret on every replica. */
export function openLogoutStates(options: { secret: string; clock: Clock; random: Random }): LogoutStates {
  const destinations = openStateSealer({ ...options, purpose: 'broker logout' })
  const confirmations = openStateSealer({ ...options, purpose: 'broker logout confirmation' })
  return {
    sealDestination: (destination) => destinations.seal(destination, lifetime),
    openDestination: (text) => destinations.open(text) as LogoutDestination | undefined, // sealed by us
    sealConfirmation: (confirmation) => confirmations.seal(confirmation, lifetime),
    openConfirmation: (text) => confirmations.open(text) as LogoutConfirmation | undefined, // sealed by us
  }
}
