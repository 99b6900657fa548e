import type { Fetch, RequestContext } from '../http/part.ts'
import type { Clock } from '../kit/clock.ts'
import type { Log } from '../kit/log.ts'
import type { Random } from '../kit/random.ts'
import type { AccountGate } from '../oidc/account-gate.ts'
import type { EndedSessions } from '../oidc/ended-sessions.ts'
import type { Records } from '../store/records.ts'
import type { AccessTokens } from './access-tokens/access-tokens.ts'
import type { DeviceLogins } from './access-tokens/device-logins.ts'
import type { AlphaOptions } from './alpha/alpha-options.ts'
import type { Authservice } from './authservice/open-authservice.ts'
import type { BearerVerifier } from './bearer.ts'
import type { CheckAnswer, CheckRequest, CheckRules } from './check.ts'
import type { IdentityHeaders } from './identity-headers.ts'
import type { CsrfCookieOptions } from './login/csrf-cookie.ts'
import type { Passwords } from './login/passwords.ts'
import type { SignInLook } from './pages/sign-in-look.ts'
import type { Providers } from './provider/open-providers.ts'
import type { RedirectRule } from './redirect-target.ts'
import type { Session } from './session.ts'
import type { SessionMemory } from './sessions/session-memory.ts'
import type { SessionState } from './sessions/session-state.ts'
import type { Sessions } from './sessions/sessions.ts'
import type { ProxyConfig } from './typed-config.ts'

/** What the proxy's endpoints and its check share. */
export interface ProxyCore {
  readonly config: ProxyConfig
  /** Providers, injected headers, upstreams and listeners, whichever way they were configured. */
  readonly alpha: AlphaOptions
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly fetch: Fetch
  readonly records: Records
  readonly provider: Providers
  /** Users of the password file, where there is one. */
  readonly passwords: Passwords | undefined
  readonly rules: CheckRules
  readonly identityHeaders: IdentityHeaders
  /** Adds to an answer that lets a request pass what it is forwarded with, where there are upstreams to forward it to. */
  forwarded(answer: CheckAnswer, session: Session | undefined): CheckAnswer
  /** Whether there are. */
  readonly isForwarding: boolean
  readonly csrf: CsrfCookieOptions
  readonly sessions: Sessions
  readonly state: SessionState
  readonly ended: EndedSessions
  readonly isValidRedirect: RedirectRule
  readonly look: SignInLook
  /** Path of the callback: of `redirect_url`, else under the prefix. */
  readonly callbackPath: string
  /** Where the pages' files are. */
  readonly assetsPath: string
  isTrustedProxy(address: string): boolean
  readonly bearer: BearerVerifier
  /** Service accounts of the cluster, where they are let in. */
  readonly accounts: AccountGate | undefined
  /** Where the proxy stands in for oidc-authservice. */
  readonly authservice: Authservice | undefined
  readonly accessTokens: AccessTokens
  readonly deviceLogins: DeviceLogins
  readonly memory: SessionMemory
}

/** The facts of a fetch request. Its path is taken as sent, not as `URL` would read it. */
export function checkRequestOf(request: Request, context: RequestContext | undefined): CheckRequest {
  const { url, method } = request
  const start = url.indexOf('/', url.indexOf('//') + 2)
  return {
    method,
    path: start < 0 ? '/' : url.slice(start),
    host: request.headers.get('host') ?? url.slice(url.indexOf('//') + 2, start < 0 ? undefined : start),
    headers: Object.fromEntries(request.headers),
    clientAddress: context?.clientAddress ?? '',
    requestId: context?.requestId ?? '',
  }
}

/** The query of a request's path. */
export function queryOf(path: string): URLSearchParams {
  const mark = path.indexOf('?')
  return new URLSearchParams(mark < 0 ? '' : path.slice(mark + 1))
}
