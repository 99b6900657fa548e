import { GenerationCache } from '../../kit/cache.ts'
import type { Clock } from '../../kit/clock.ts'
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

/** How long a credential is not looked at again. */
const rememberFor = 60_000
/** Credentials remembered per generation, at about 5 kB each. */
const capacity = 5000

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
  const known = {
    cookie: new GenerationCache<KnownText>(capacity),
    authorization: new GenerationCache<KnownText>(capacity),
  }
  let changes = 0

  function alive(kind: Kind, text: string): RememberedSession | undefined {
    const found = known[kind].get(endOf(text))
    if (found === undefined || found.text !== text || clock.now() >= found.entry.until) return undefined
    return ended.isEnded(found.entry.names) ? undefined : found.entry
  }

  return {
    find(headers) {
      const authorization = headers['authorization']
      if (authorization !== undefined) {
        if (config.skip_jwt_bearer_tokens) return alive('authorization', authorization)
        if (isCredential(authorization, config)) return undefined
      }
      const cookie = headers['cookie']
      const text = cookie === undefined ? undefined : firstSessionText(cookie, config.cookie_name)
      return text === undefined ? undefined : alive('cookie', text)
    },
    begin() {
      const changesBefore = changes
      return (kind, text, found) => {
        if (changes !== changesBefore) return
        const until = Math.min(found.until, clock.now() + rememberFor)
        const kept = detached(text)
        known[kind].set(endOf(kept), { text: kept, entry: { ...found, until } })
      }
    },
    forget(cookieText) {
      changes += 1
      known.cookie.delete(endOf(cookieText))
    },
    clear() {
      changes += 1
      known.cookie.clear()
      known.authorization.clear()
    },
  }
}

/** Whether the header says by itself who sends the request, so that a cookie beside it does not. */
function isCredential(authorization: string, { htpasswd_file: passwords }: ProxyConfig): boolean {
  if (passwords !== '' && authorization.startsWith('Basic ')) return true
  return accessTokenInAuthorization(authorization) !== undefined
}

interface KnownText {
  readonly text: string
  readonly entry: RememberedSession
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
  return Buffer.from(text, 'latin1').toString('latin1')
}
