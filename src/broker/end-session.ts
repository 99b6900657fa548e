import type { Broker } from './broker.ts'
import type { EndedSession } from './sessions.ts'

/** Ends a session and revokes every refresh token it gave; `undefined` where sessions are off. */
export async function endSession({ sessions, families }: Broker, sid: string): Promise<EndedSession | undefined> {
  const ended = await sessions?.end(sid)
  for (const id of ended?.familyIds ?? []) await families.revoke(id)
  return ended
}
