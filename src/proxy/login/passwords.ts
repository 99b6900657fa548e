import { createHmac } from 'node:crypto'
import { openAttemptLimiter } from '../../kit/attempt-limiter.ts'
import { GenerationCache } from '../../kit/cache.ts'
import type { Clock } from '../../kit/clock.ts'
import type { Log } from '../../kit/log.ts'
import type { Random } from '../../kit/random.ts'
import type { CheckRequest } from '../check.ts'
import { compileClientAddress } from '../client-address.ts'
import type { Session } from '../session.ts'
import type { ProxyConfig } from '../typed-config.ts'
import { decoyOf, isPasswordOf, parseHtpasswd } from './htpasswd.ts'
import { openWatchedFile } from './watched-file.ts'

/** What a name and a password turned out to be. */
export type PasswordOutcome =
  | { readonly kind: 'session'; readonly session: Session }
  | { readonly kind: 'wrong' }
  /** Too many wrong ones just now, or too many at once. */
  | { readonly kind: 'wait' }

/** The users of `htpasswd_file`. */
export interface Passwords {
  /** Whose password this is. `sender`: the request, for the throttle. */
  signIn(user: string, password: string, sender: CheckRequest): Promise<PasswordOutcome>
  /** The session of an `Authorization: Basic` header; `undefined` where it is none or wrong. */
  sessionOfBasic(authorization: string, sender: CheckRequest): Promise<Session | undefined>
}

/** Passwords checked at one time: bcrypt is meant to be slow, and must not take every processor. */
const mostAtOnce = 4
/** Guesses at one account from one address that are free; each one more costs twice the wait of the one before. */
const freeAttempts = [5]

/** Opens the password file. @throws GatehouseError `config` for a file that cannot be read or parsed. */
export function openPasswords({
  config,
  clock,
  random,
  log,
}: {
  config: ProxyConfig
  clock: Clock
  random: Random
  log: Log
}): Passwords {
  const file = openWatchedFile(config.htpasswd_file, { parse: parseHtpasswd, clock, log })
  const attempts = openAttemptLimiter({ clock, free: freeAttempts })
  const addressOf = compileClientAddress(config)
  // A client that sends Basic credentials sends them with every request: right ones are known by their digest.
  const verified = new GenerationCache<string>(1000)
  const digestKey = random.bytes(32)
  let running = 0

  /** Takes its time, and turns away whom it cannot serve: no stranger gets to keep out who is known. */
  async function verify(user: string, password: string, address: string): Promise<'right' | 'wrong' | 'wait'> {
    const hashes = file.current()
    const hash = hashes.get(user)
    const digest = createHmac('sha256', digestKey).update(`${user}\0${password}`).digest('base64url')
    if (hash !== undefined && verified.get(digest) === hash) return 'right'
    const tried = [JSON.stringify([user, address])]
    if (running >= mostAtOnce || attempts.begin(tried) !== undefined) return 'wait'
    running += 1
    try {
      const isMatch = await isPasswordOf(hash ?? decoyOf(hashes), password)
      if (!isMatch || hash === undefined) return 'wrong'
    } finally {
      running -= 1
    }
    verified.set(digest, hash)
    attempts.succeed(tried)
    return 'right'
  }

  async function signIn(user: string, password: string, sender: CheckRequest): Promise<PasswordOutcome> {
    const outcome = await verify(user, password, addressOf(sender))
    if (outcome !== 'right') return { kind: outcome }
    const groups = config.htpasswd_user_groups
    return { kind: 'session', session: { createdAt: clock.now(), user, ...(groups.length > 0 ? { groups } : {}) } }
  }

  return {
    signIn,
    async sessionOfBasic(authorization, sender) {
      const [user, password] = basicCredentials(authorization) ?? []
      if (user === undefined || password === undefined) return undefined
      const outcome = await signIn(user, password, sender)
      if (outcome.kind !== 'session') {
        // what is no user of ours may be a password or a token in the wrong place
        const known = file.current().has(user) ? user : undefined
        log.info('basic credentials refused', { requestId: sender.requestId, user: known, reason: outcome.kind })
        return undefined
      }
      return config.prefer_email_to_user ? { ...outcome.session, email: user } : outcome.session
    },
  }
}

/** User and password of `Basic …` (RFC 7617 §2); scheme in this very case, as in the original. */
function basicCredentials(authorization: string): [string, string] | undefined {
  const encoded = /^Basic ([A-Za-z0-9+/]+={0,2})$/.exec(authorization)?.[1]
  const text = Buffer.from(encoded ?? '', 'base64').toString('utf8')
  const colon = text.indexOf(':')
  return colon < 1 ? undefined : [text.slice(0, colon), text.slice(colon + 1)]
}
