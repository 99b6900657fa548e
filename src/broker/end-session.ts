import type { Broker } from './broker.ts'
import { tellClients } from './client-logout.ts'
import type { EndedSession } from './sessions.ts'

/** Ends a session, revokes every refresh token it gave and tells its clients; `undefined` where sessions are off. */
export async function endSession(broker: Broker, sid: string): Promise<EndedSession | undefined> {
  const { sessions, families } = broker
  const ended = await sessions?.end(sid)
  for (const id of ended?.familyIds ?? []) await families.revoke(id)
  if (ended) await tellClients(broker, sid, ended)
  return ended
}
