import type { Clock } from '../../kit/clock.ts'
import { MinuteCache } from '../../kit/minute-cache.ts'
import type { EndedSessions, SessionNames } from '../../oidc/ended-sessions.ts'
import { accessTokenInAuthorization } from '../access-tokens/token-text.ts'
import type { CheckAnswer, CheckRequest } from '../check.ts'
import type { Session } from '../session.ts'
import type { ProxyConfig } from '../typed-config.ts'
import { firstSessionText } from './session-cookies.ts'

type Kind = 'cookie' | 'authorization'

/** A credential that was found good a moment ago, with the answer it gets. */
export interface RememberedSession {
  readonly session: Session
  /** What it is called where it is ended. */
  readonly names: SessionNames
  /** To a check. */
  readonly answer: CheckAnswer
  /** At `/oauth2/auth`. */
  readonly authAnswer: CheckAnswer
  /** Milliseconds since the epoch. */
  readonly until: number
}

/** Remembers credentials by their exact text, so that the next request with one needs no crypto and no store. */
export interface SessionMemory {
  find(headers: CheckRequest['headers']): RememberedSession | undefined
  /**
   * Starts to look a credential up. What it returns remembers the result for a minute at most, unless a session has
   * changed since: it may have been this one.
   */
  begin(): (kind: Kind, text: string, found: RememberedSession) => void
  /** Forgets a session that has changed. */
  forget(cookieText: string): void
  /** Forgets everything: any session may have been ended. */
  clear(): void
}

/** What credentials may take together: about 10,000 of 1.5 kB, or 3,500 of 8 kB. */
const capacity = 40 * 1024 * 1024
/** What one takes besides its texts. */
const overhead = 1500

/** Opens the memory; who finds no room in it is looked up each time. */
export function openSessionMemory({
  config,
  ended,
  clock,
}: {
  config: ProxyConfig
  /** Sessions that are remembered no more. */
  ended: EndedSessions
  clock: Clock
}): SessionMemory {
  const known = new MinuteCache<KnownText>(capacity, clock)
  const looksAtBearers = config.skip_jwt_bearer_tokens || config.kubernetes_token_audiences.length > 0
  let changes = 0

  function alive(kind: Kind, text: string): RememberedSession | undefined {
    const found = known.get(endOf(text))
    if (found === undefined || found.kind !== kind || found.text !== text) return undefined
    return ended.isEnded(found.entry.names) ? undefined : found.entry
  }

  return {
    find(headers) {
      const authorization = headers['authorization']
      if (authorization !== undefined) {
        const known = looksAtBearers ? alive('authorization', authorization) : undefined
        if (known || config.skip_jwt_bearer_tokens || isCredential(authorization, config)) return known
      }
      const cookie = headers['cookie']
      const text = cookie === undefined ? undefined : firstSessionText(cookie, config.cookie_name)
      return text === undefined ? undefined : alive('cookie', text)
    },
    begin() {
      const changesBefore = changes
      return (kind, text, found) => {
        if (changes !== changesBefore) return
        const size = text.length + sizeOf(found)
        if (!known.hasRoom(size)) return
        const kept = detached(text)
        known.set(endOf(kept), { kind, text: kept, entry: found }, { size, until: found.until })
      }
    },
    forget(cookieText) {
      changes += 1
      known.delete(endOf(cookieText))
    },
    clear() {
      changes += 1
      known.clear()
    },
  }
}

/** Whether the header says by itself who sends the request, so that a cookie beside it does not. */
function isCredential(authorization: string, config: ProxyConfig): boolean {
  if (config.htpasswd_file !== '' && authorization.startsWith('Basic ')) return true
  // perhaps a service account's
  if (config.kubernetes_token_audiences.length > 0 && /^(?:Bearer ey|Basic )/.test(authorization)) return true
  return accessTokenInAuthorization(authorization) !== undefined
}

interface KnownText {
  readonly kind: Kind
  readonly text: string
  readonly entry: RememberedSession
}

/** About how many bytes an entry holds. Both answers have the same headers, by and large the same texts. */
function sizeOf({ session, answer }: RememberedSession): number {
  const { accessToken = '', idToken = '', refreshToken = '', groups = [] } = session
  const texts = [accessToken, idToken, refreshToken, ...groups, ...answer.headers]
  return [...texts, ...(answer.forwarding?.toUpstream ?? [])].reduce((sum, { length }) => sum + length, overhead)
}

/**
 * What a credential is filed under: its last characters, which are (of) its signature. A key of 8 kB would be hashed
 * anew for every request; that the whole text is the same is seen faster.
 */
function endOf(text: string): string {
  return text.slice(-64)
}

/** The same text without the header it was cut from, which V8 would keep in memory along with it. */
function detached(text: string): string {
  const length = text.length <= workspace.length ? workspace.write(text, 'latin1') : 0
  return length > 0 ? workspace.toString('latin1', 0, length) : Buffer.from(text, 'latin1').toString('latin1')
}

/** A new buffer for each text would cost more than its copies. */
const workspace = Buffer.allocUnsafeSlow(16 * 1024)
