import { createPrivateKey } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { systemClock } from '../src/kit/clock.ts'
import { systemRandom } from '../src/kit/random.ts'
import { cookieKey } from '../src/proxy/sessions/cookie-secret.ts'
import { openSessionCodec } from '../src/proxy/sessions/session-codec.ts'
import { sessionTexts, storeSessionCookies } from '../src/proxy/sessions/session-cookies.ts'
import { parseJwt } from '../src/tokens/jwt.ts'
import { signJwt } from '../src/tokens/sign.ts'
import { type BenchChain, cookieName, cookieSecret } from './platform.ts'

const lifetimeSeconds = 86_400

/**
 * `count` people's `Cookie` headers for a chain: sessions like the one that signed in, each with a user and an ID token
 * of its own, signed with the broker's key and sealed with the chain's secret.
 */
export async function chainSessions({ cookie, data }: BenchChain, count: number): Promise<string[]> {
  const key = cookieKey(cookieSecret)
  if (!key) throw new TypeError('the secret of the benchmarks is a key')
  const keys = { secret: cookieSecret, key }
  const codec = openSessionCodec({ name: cookieName, keys, lifetimeSeconds, clock: systemClock, random: systemRandom })
  const session = sessionTexts(cookie, cookieName).flatMap((text) => codec.open(text) ?? [])[0]
  const parsed = session?.idToken === undefined ? undefined : parseJwt(session.idToken)
  if (!session || !parsed || !('claims' in parsed)) throw new Error('the session that signed in holds no ID token')
  const signingKey = brokerKey(data)
  const { refreshToken: _, ...kept } = session // nothing to refresh, so that ten minutes of load are load alone
  const cookies: string[] = []
  for (let at = 0; at < count; at += 1) {
    const email = `user-${at}@example.com`
    const expiry = Math.floor(systemClock.now() / 1000) + lifetimeSeconds
    const idToken = await signJwt({ ...parsed.claims, sub: `user-${at}`, email, exp: expiry }, signingKey)
    const own = { ...kept, idToken, email, user: `user-${at}`, expiresAt: expiry * 1000, createdAt: systemClock.now() }
    const lines = storeSessionCookies(cookieName, codec.seal(own), {
      attributes: { path: '/', httpOnly: true },
      cookieHeader: undefined,
    })
    cookies.push(lines.map((line) => line.slice(0, line.indexOf(';'))).join('; '))
  }
  return cookies
}

/** The key the chain's broker signs with, out of its data directory. */
function brokerKey(data: string) {
  const file = readdirSync(data).find((name) => name.endsWith('.db') || name.endsWith('.sqlite'))
  const database = new DatabaseSync(join(data, file ?? ''), { readOnly: true })
  const query = "select kid, private_jwk from signing_keys where owner = 'broker' order by generation limit 1"
  const { kid, private_jwk: jwk } = database.prepare(query).get() as { kid: string; private_jwk: string } // a key there is
  database.close()
  return { kid, alg: 'RS256', privateKey: createPrivateKey({ key: JSON.parse(jwk), format: 'jwk' }) }
}
