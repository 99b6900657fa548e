import { GenerationCache } from '../../kit/cache.ts'
import type { Clock } from '../../kit/clock.ts'
import type { CheckAnswer, CheckRequest } from '../check.ts'
import type { ProxyConfig } from '../config.ts'
import type { Session } from '../session.ts'
import { firstSessionText } from './session-cookies.ts'

/** A credential that was found good a moment ago, with the answer it gets. */
export interface RememberedSession {
  readonly session: Session
  readonly answer: CheckAnswer
  /** Milliseconds since the epoch. */
  readonly until: number
}

/** Remembers credentials by their exact text, so that the next request with one needs no crypto and no store. */
export interface SessionMemory {
  find(headers: CheckRequest['headers']): RememberedSession | undefined
  /**
   * Starts to look a credential up. What it returns remembers the result for a minute at most, unless a session has
   * been ended since: it may have been this one.
   */
  begin(): (kind: 'cookie' | 'authorization', text: string, found: RememberedSession) => void
  /** Forgets an ended session: its cookie's text and its tokens. */
  forget(cookieText: string, tokens: readonly string[]): void
}

/** How long a credential is not looked at again: so long may a sign-out on another replica take to be noticed. */
const rememberFor = 60_000
/** Credentials remembered per generation, at about 5 kB each. */
const capacity = 5000

export function openSessionMemory({ config, clock }: { config: ProxyConfig; clock: Clock }): SessionMemory {
  const byText = {
    cookie: new GenerationCache<RememberedSession>(capacity),
    authorization: new GenerationCache<RememberedSession>(capacity),
  }
  let ended = 0

  function alive(entry: RememberedSession | undefined): RememberedSession | undefined {
    return entry !== undefined && clock.now() < entry.until ? entry : undefined
  }

  return {
    find(headers) {
      const authorization = config.skip_jwt_bearer_tokens ? headers['authorization'] : undefined
      if (authorization !== undefined) return alive(byText.authorization.get(authorization))
      const cookie = headers['cookie']
      const text = cookie === undefined ? undefined : firstSessionText(cookie, config.cookie_name)
      return text === undefined ? undefined : alive(byText.cookie.get(text))
    },
    begin() {
      const endedBefore = ended
      return (kind, text, found) => {
        if (ended !== endedBefore) return
        const until = Math.min(found.until, clock.now() + rememberFor)
        byText[kind].set(detached(text), { ...found, until })
      }
    },
    forget(cookieText, tokens) {
      ended += 1
      byText.cookie.delete(cookieText)
      byText.authorization.clear(({ session: { idToken } }) => idToken !== undefined && tokens.includes(idToken))
    },
  }
}

/** The same text without the header it was cut from, which V8 would keep in memory along with it. */
function detached(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1')
}
