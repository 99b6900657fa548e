import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { systemClock } from '../src/kit/clock.ts'
import { silentLog } from '../src/kit/log.ts'
import { randomText, systemRandom } from '../src/kit/random.ts'
import { proxyConfigSchema } from '../src/proxy/config.ts'
import type { Session } from '../src/proxy/session.ts'
import { cookieKey } from '../src/proxy/sessions/cookie-secret.ts'
import { openRedisStore } from '../src/proxy/sessions/redis.ts'
import { openSessionCodec } from '../src/proxy/sessions/session-codec.ts'
import { storeSessionCookies } from '../src/proxy/sessions/session-cookies.ts'
import { openRedis } from '../src/store/redis.ts'
import { openRedisRecords } from '../src/store/redis-records.ts'
import { publicJwk } from '../src/tokens/jwk.ts'
import { signJwt } from '../src/tokens/sign.ts'
import { redisSettings } from '../test/world/redis.ts'
import { cookieName, cookieSecret } from './platform.ts'

/** What the tokens of these sessions say of their making. */
export const issuer = 'http://127.0.0.1:9/dex'
export const clientId = 'bench'

const lifetimeSeconds = 86_400

/** `count` people's `Cookie` headers with sessions of about `size` bytes, sealed as both programs read them. */
export function sessionCookies(count: number, size: number): string[] {
  const key = cookieKey(cookieSecret)
  if (!key) throw new TypeError('the secret of the benchmarks is a key')
  const codec = openSessionCodec({
    name: cookieName,
    keys: { secret: cookieSecret, key },
    lifetimeSeconds,
    clock: systemClock,
    random: systemRandom,
  })
  return Array.from({ length: count }, (_, at) => {
    const bare = codec.seal(session(at, ''))
    // base64 makes four characters of three bytes, twice: in the token and in the cookie
    const padding = randomText(systemRandom, Math.max(0, Math.floor(((size - bare.length) * 9) / 16)))
    const lines = storeSessionCookies(cookieName, codec.seal(session(at, padding)), {
      attributes: { path: '/', httpOnly: true },
      cookieHeader: undefined,
    })
    return lines.map((line) => line.slice(0, line.indexOf(';'))).join('; ')
  })
}

/** `count` people's `Cookie` headers with tickets; the sessions, of about `size` bytes, are kept in Redis. */
export async function ticketCookies(count: number, size: number, redisUrl: string): Promise<string[]> {
  const key = cookieKey(cookieSecret)
  if (!key) throw new TypeError('the secret of the benchmarks is a key')
  const settings = { client_id: clientId, client_secret: 'bench', oidc_issuer_url: issuer, email_domains: ['*'] }
  const cookie = { cookie_name: cookieName, cookie_secret: cookieSecret, cookie_expire: '24h' }
  const config = proxyConfigSchema.parse({ ...settings, ...cookie })
  const redis = openRedis(redisSettings(redisUrl), silentLog)
  const given = {
    config,
    keys: { secret: cookieSecret, key },
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
  }
  const store = openRedisStore({
    ...given,
    redis,
    records: openRedisRecords(redis, { prefix: '', clock: systemClock }),
  })
  const cookies: string[] = []
  for (let at = 0; at < count; at += 1) {
    const padding = randomText(systemRandom, Math.floor((size * 3) / 4) - 700)
    cookies.push(`${cookieName}=${await store.create(session(at, padding))}`)
  }
  await redis.close()
  return cookies
}

/** `padding` stands where the claims that make real ID tokens long do: random, so that it does not compress. */
function session(at: number, padding: string): Session {
  const now = systemClock.now()
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const idToken = `${part({ alg: 'RS256', kid: 'k1' })}.${part(claimsOf(at))}.${randomText(systemRandom, 256)}`
  return {
    createdAt: now,
    expiresAt: now + lifetimeSeconds * 1000,
    accessToken: padding,
    idToken,
    nonce: systemRandom.bytes(32),
    email: `user-${at}@example.com`,
    user: `user-${at}`,
    groups: ['platform-users', 'team/ml'],
    preferredUsername: `user-${at}`,
  }
}

function claimsOf(at: number): Readonly<Record<string, unknown>> {
  const now = Math.floor(systemClock.now() / 1000)
  return {
    ...{ iss: issuer, aud: clientId, iat: now, exp: now + lifetimeSeconds },
    ...{ sub: `user-${at}`, email: `user-${at}@example.com`, email_verified: true },
    groups: ['platform-users', 'team/ml'],
  }
}

/** Bearer tokens, and the key set they verify with. */
export interface SignedTokens {
  readonly keySet: string
  readonly authorizations: readonly string[]
}

/** `count` people's RS256 tokens as `Authorization` headers. */
export async function signedTokens(count: number): Promise<SignedTokens> {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const authorizations: string[] = []
  for (let at = 0; at < count; at += 1) authorizations.push(`Bearer ${await signed(at, privateKey)}`)
  return { keySet: JSON.stringify({ keys: [publicJwk(privateKey, { kid: 'k1', alg: 'RS256' })] }), authorizations }
}

function signed(at: number, privateKey: KeyObject): Promise<string> {
  return signJwt(claimsOf(at), { kid: 'k1', alg: 'RS256', privateKey })
}
