import type { Log } from '../../kit/log.ts'
import type { CheckAnswer, CheckRequest, CheckRules, SessionLookup } from '../check.ts'
import type { Session } from '../session.ts'
import type { Sessions } from '../sessions/sessions.ts'
import { type AuthenticatorSources, type OtherWays, openAuthenticators } from './authenticators.ts'
import { openExternalAuthorization } from './external-authorization.ts'
import type { AuthserviceSettings } from './settings.ts'
import { openUserinfo } from './userinfo.ts'

/** What the proxy does otherwise where it stands in for oidc-authservice. */
export interface Authservice {
  /** Finds out who sent a request, in the original's order. @throws GatehouseError where that cannot be known now. */
  authenticate(request: CheckRequest, ways: OtherWays): Promise<SessionLookup>
  /** What a request is answered that somebody else refuses; `undefined` where nobody does. */
  refusal(asked: CheckRequest, session: Session): Promise<CheckAnswer | undefined>
  /** The sessions, each with how it was proven; with strict validation only those the provider still stands by. */
  readonly sessions: Sessions
}

/** What it is made from. */
export interface AuthserviceSources extends Omit<AuthenticatorSources, 'userinfo'> {
  readonly settings: AuthserviceSettings
  readonly rules: Pick<CheckRules, 'isSkipped'>
  readonly log: Log
}

/** Opens it over the sessions of the proxy. */
export function openAuthservice(sources: AuthserviceSources): Authservice {
  const { settings, rules } = sources
  const sessions = settings.isStrict ? strict(sources.sessions, openUserinfo(sources)) : sources.sessions
  const told = provenByCookie(sessions)
  const ask = openExternalAuthorization(sources)
  return {
    sessions: told,
    // one of their own: however many tokens strangers make up, nobody's session waits for them
    authenticate: openAuthenticators({ ...sources, sessions, userinfo: openUserinfo(sources) }),
    async refusal(asked, session) {
      return ask === undefined || rules.isSkipped(asked.method, asked.path) ? undefined : ask(asked, session)
    },
  }
}

function provenByCookie(sessions: Sessions): Sessions {
  return {
    ...sessions,
    async find(cookieHeader) {
      const found = await sessions.find(cookieHeader)
      return found && { ...found, session: { ...found.session, authMethod: 'cookie' } }
    },
  }
}

/**
 * `STRICT_SESSION_VALIDATION`: a session whose access token the provider refuses is over. The original asks at each
 * request, which few providers like; here a session is believed for a minute.
 */
function strict(sessions: Sessions, userinfo: ReturnType<typeof openUserinfo>): Sessions {
  return {
    ...sessions,
    async find(cookieHeader) {
      const found = await sessions.find(cookieHeader)
      const token = found?.session.accessToken
      if (!found || token === undefined || (await userinfo.claimsFor(token)) !== undefined) return found
      await sessions.end(found.text)
      return undefined
    },
  }
}
