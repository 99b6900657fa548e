import type { Clock } from '../kit/clock.ts'
import type { Log } from '../kit/log.ts'
import type { Random } from '../kit/random.ts'
import type { LogoutRecipient, LogoutSender } from '../oidc/logout-sender.ts'
import { logoutTokenClaims } from '../oidc/logout-token.ts'
import type { Journal, JournalLine } from '../store/journal.ts'
import type { Records } from '../store/records.ts'
import type { KeyRing } from '../tokens/key-ring.ts'
import { signJwt } from '../tokens/sign.ts'
import type { Client, RealmModel } from './model.ts'

/** A session that has ended, and the clients (their rows' ids) that were signed in to by it. */
export interface EndedSession {
  readonly sessionId: string
  readonly userId: string
  readonly clientIds: readonly string[]
}

/**
 * Where sessions that end are noted until the clients know: whoever ends one need not be the process that serves the
 * realm (`gatehouse users disable`).
 */
export function endedSessionsOf(records: Records, realmId: string): Journal<EndedSession> {
  return records.journal(`realm ${realmId} ended sessions`)
}

/** How long, in milliseconds, a stopped realm may take to come back and still tell. */
export const tellWithin = 3_600_000

/** Tells clients of ended sessions by back-channel, as Keycloak does. */
export interface ClientLogout {
  /** Tells of everything that has ended up to now; resolves soon, even where clients do not answer. Never rejects. */
  tell(): Promise<void>
  close(): void
}

/** How often sessions that another process has ended are looked for, in milliseconds. */
const watchInterval = 1000

/** Opens the telling for one realm, and watches for sessions that end elsewhere. Each is told of by one replica. */
export function openClientLogout(options: {
  readonly model: RealmModel
  readonly issuer: string
  readonly keys: KeyRing
  readonly records: Records
  readonly sender: LogoutSender
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}): ClientLogout {
  const { model, records, sender, clock, log } = options
  const ended = endedSessionsOf(records, model.id)
  const told = records.collection<true>('realm-told-logouts')
  const clientById = new Map([...model.clients.values()].map((client) => [client.id, client]))
  let position = 0
  let telling = Promise.resolve()

  async function tellOf({ entry, position: at }: JournalLine<EndedSession>): Promise<void> {
    const clients = entry.clientIds.flatMap((id) => clientById.get(id) ?? [])
    const recipients = clients.flatMap((client) => recipientFor(client, entry, options) ?? [])
    if (recipients.length === 0 || !(await told.create(`${model.id} ${at}`, true, clock.now() + tellWithin))) return
    await sender.send(recipients)
  }

  async function tellNew(): Promise<void> {
    try {
      const lines = await ended.readAfter(position)
      await Promise.all(lines.map(tellOf))
      position = lines.at(-1)?.position ?? position
    } catch (cause) {
      log.warn('clients could not be told of ended sessions', { cause })
    }
  }

  // One after the other: who waits for its session waits for the tries, whoever began them.
  function tell(): Promise<void> {
    telling = telling.then(tellNew)
    return telling
  }

  const watching = setInterval(() => void tell(), watchInterval).unref()
  return {
    tell,
    close() {
      clearInterval(watching)
      sender.close()
    },
  }
}

/** Keycloak's marker of a logout that takes offline tokens along (TokenUtil). */
const revokeOfflineTokens = 'revoke_offline_access'

/** The client, where it wants to know (Keycloak TokenManager.initLogoutToken, ResourceAdminManager). */
function recipientFor(
  client: Client,
  { sessionId, userId }: EndedSession,
  { issuer, keys, clock, random }: Parameters<typeof openClientLogout>[0],
): LogoutRecipient | undefined {
  const url = logoutUrl(client)
  if (url === undefined || !client.enabled) return undefined
  const { clientId, attributes } = client
  const isSet = (name: string) => attributes[`backchannel.logout.${name}`] === 'true'
  return {
    clientId,
    url,
    async makeToken() {
      const sid = isSet('session.required') ? sessionId : undefined
      const events = isSet('revoke.offline.tokens') ? { [revokeOfflineTokens]: true } : {}
      const said = { issuer, clientId, subject: userId, sid, events, more: { typ: 'Logout' } }
      return signJwt(logoutTokenClaims(said, { clock, random }), await keys.current(), { typ: 'logout+jwt' })
    },
  }
}

/** Its `backchannel.logout.url`, which may be relative to the client's root. */
function logoutUrl({ attributes, rootUrl = '' }: Client): string | undefined {
  const url = attributes['backchannel.logout.url'] ?? ''
  const whole = url.startsWith('/') ? rootUrl.replace(/\/$/, '') + url : url
  return /^https?:\/\//.test(whole) && URL.canParse(whole) ? whole : undefined
}
