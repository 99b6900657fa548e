import type { RequestContext } from '../http/part.ts'
import type { AttemptLimiter } from '../kit/attempt-limiter.ts'
import type { Clock } from '../kit/clock.ts'
import type { Log } from '../kit/log.ts'
import type { Random } from '../kit/random.ts'
import type { LogoutSender } from '../oidc/logout-sender.ts'
import type { Collection } from '../store/records.ts'
import type { KeyRing } from '../tokens/key-ring.ts'
import type { AtRest } from './at-rest.ts'
import type { BrokerConfig, StaticClient } from './config.ts'
import type { OpenConnector } from './connectors/index.ts'
import type { Grant, PendingApproval } from './grant.ts'
import type { IssueTokens } from './issue-tokens.ts'
import type { Issuer } from './issuer.ts'
import type { LoginStates } from './login-state.ts'
import type { LogoutStates } from './logout-state.ts'
import type { RefreshFamilies } from './refresh-families.ts'
import type { Sessions } from './sessions.ts'
import type { Turns } from './turns.ts'

/** What the broker's endpoints share; made once by `openBroker`. */
export interface Broker {
  readonly config: BrokerConfig
  readonly issuer: Issuer
  readonly clients: ReadonlyMap<string, StaticClient>
  /** Sorted by name, as the picker shows them. */
  readonly connectors: readonly OpenConnector[]
  readonly keys: KeyRing
  readonly issueTokens: IssueTokens
  readonly logins: LoginStates
  readonly logouts: LogoutStates
  /** Names of attempts that were finished, each once. */
  readonly finishedAttempts: Collection<true>
  readonly approvals: Collection<PendingApproval>
  readonly codes: Collection<Grant>
  readonly families: RefreshFamilies
  readonly refreshTurns: Turns
  /** Absent where sessions are switched off. */
  readonly sessions: Sessions | undefined
  readonly logoutSender: LogoutSender
  readonly passwordAttempts: AttemptLimiter
  readonly atRest: AtRest
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** Hono's environment in this part. */
export type Env = { Bindings: RequestContext }
