import type { Clock } from '../kit/clock.ts'
import type { Random } from '../kit/random.ts'
import { openStateSealer } from '../oidc/sealed-state.ts'

/** Encrypts the secrets of others (upstream tokens) before they are stored. */
export interface AtRest {
  seal(text: string): string
  /** `undefined` where it was sealed under another secret. */
  open(sealed: string): string | undefined
}

/** Long enough never to matter: the records it is used in have their own expiry. */
const centuryMilliseconds = 100 * 365 * 86_400_000

/** Under a key of `secret` for this use only. */
export function openAtRest(options: { secret: string; clock: Clock; random: Random }): AtRest {
  const sealer = openStateSealer({ ...options, purpose: 'broker upstream tokens' })
  return {
    seal: (text) => sealer.seal(text, centuryMilliseconds),
    open(sealed) {
      const text = sealer.open(sealed)
      return typeof text === 'string' ? text : undefined
    },
  }
}
