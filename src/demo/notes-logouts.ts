import type { Clock } from '../kit/clock.ts'
import type { LogoutNotice } from '../oidc/logout-token.ts'
import type { Collection } from '../store/records.ts'
import type { NotesUser } from './notes-sign-in.ts'

/** Sign-outs the provider has told of: a session kept in a cookie cannot be taken back, so it is asked for here. */
export interface NotesLogouts {
  end(notice: LogoutNotice): Promise<void>
  /** Whether the provider has ended what this user signed in with. */
  hasEnded(user: NotesUser): Promise<boolean>
}

/** Keeps sign-outs in `ended` as long as a session's cookie lives (`sessionLifetime`, milliseconds). */
export function openNotesLogouts({
  ended,
  sessionLifetime,
  clock,
}: {
  /** By session or user: up to when what began is over, milliseconds since the epoch. */
  readonly ended: Collection<number>
  readonly sessionLifetime: number
  readonly clock: Clock
}): NotesLogouts {
  return {
    async end({ sid, subject, issuedAt }) {
      const name = sid === undefined ? `user ${subject}` : `session ${sid}`
      const until = clock.now() + sessionLifetime
      if (!(await ended.create(name, issuedAt, until)))
        await ended.update(name, (before) => Math.max(before, issuedAt), until)
    },
    async hasEnded({ subject, sid, since }) {
      const names = [`user ${subject}`, ...(sid === undefined ? [] : [`session ${sid}`])]
      const ends = await Promise.all(names.map((name) => ended.find(name)))
      return ends.some((upTo) => upTo !== undefined && since <= upTo)
    },
  }
}
