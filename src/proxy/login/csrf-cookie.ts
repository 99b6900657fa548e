import { createHash } from 'node:crypto'
import { encode } from '@msgpack/msgpack'
import { type CookieAttributes, formatSetCookie, parseCookies } from '../../http/cookies.ts'
import { type Clock, epochSeconds } from '../../kit/clock.ts'
import { type Random, randomText } from '../../kit/random.ts'
import { isEqualSecret } from '../../oauth/pkce.ts'
import { decryptCfb, encryptCfb } from '../sessions/cookie-cipher.ts'
import { decodeMap } from '../sessions/session-bytes.ts'
import type { CookieKeys } from '../sessions/session-codec.ts'
import { openSignedValue, signValue } from '../sessions/signed-value.ts'
import type { LoginPurpose } from './login-purpose.ts'

/** What a browser remembers of one login in progress (oauth2-proxy pkg/cookies/csrf.go). */
export interface PendingLogin {
  /** 32 raw bytes; `state` carries their hash. */
  readonly state: Uint8Array
  /** 32 raw bytes; the `nonce` parameter is their hash. */
  readonly nonce: Uint8Array
  readonly codeVerifier: string
  /** Id of the provider it began at; set only where more than one is configured. */
  readonly provider?: string
  /** Absent where it signs the browser in. */
  readonly purpose?: LoginPurpose
}

/** How the cookies of logins in progress are made. */
export interface CsrfCookieOptions {
  readonly cookieName: string
  readonly keys: CookieKeys
  readonly lifetimeSeconds: number
  /** Whether all logins of a browser share one cookie, so that the last one counts, as in the original. */
  readonly isShared?: boolean
  readonly clock: Clock
  readonly random: Random
}

/** Fresh secrets for one login. The verifier has 128 characters, as the original's. */
export function newPendingLogin(random: Random, provider?: string): PendingLogin {
  const secrets = { state: random.bytes(32), nonce: random.bytes(32), codeVerifier: randomText(random, 96) }
  return provider === undefined ? secrets : { ...secrets, provider }
}

/** What leaves for the provider in place of raw state or nonce bytes: unpadded base64url(SHA-256(raw)). */
export function hashOf(raw: Uint8Array): string {
  return createHash('sha256').update(raw).digest('base64url')
}

/** `<cookie>_<first 8 of the state hash>_csrf`: one cookie per login, so that tabs do not overwrite each other. */
export function csrfCookieName(cookieName: string, stateHash: string): string {
  return `${cookieName}_${stateHash.slice(0, 8)}_csrf`
}

/** Whether a cookie of this name belongs to a login in progress. */
export function isCsrfCookie(found: string, cookieName: string): boolean {
  return found.startsWith(`${cookieName}_`) && /^(?:[A-Za-z0-9_-]{8}_)?csrf$/.test(found.slice(cookieName.length + 1))
}

/** The cookie's name and value. */
export function sealPendingLogin(login: PendingLogin, options: CsrfCookieOptions): { name: string; value: string } {
  const { cookieName, keys, clock, random, isShared } = options
  const name = isShared ? `${cookieName}_csrf` : csrfCookieName(cookieName, hashOf(login.state))
  const purpose = login.purpose && JSON.stringify(login.purpose)
  const fields = { s: login.state, n: login.nonce, cv: login.codeVerifier, pv: login.provider, pp: purpose }
  const payload = encode(fields, { ignoreUndefined: true })
  const value = signValue(name, encryptCfb(payload, keys.key, random), {
    secret: keys.secret,
    seconds: epochSeconds(clock),
  })
  return { name, value }
}

/** The login in progress this state hash belongs to, from any cookie that may hold it; `undefined` where there is none. */
export function findPendingLogin(
  cookieHeader: string | undefined,
  stateHash: string,
  options: CsrfCookieOptions,
): PendingLogin | undefined {
  const { cookieName } = options
  const names = [csrfCookieName(cookieName, stateHash), `${cookieName}_csrf`]
  for (const [name, value] of parseCookies(cookieHeader)) {
    if (!names.includes(name)) continue
    const login = openPendingLogin(name, value, options)
    if (login && isEqualSecret(hashOf(login.state), stateHash)) return login
  }
  return undefined
}

function openPendingLogin(name: string, text: string, options: CsrfCookieOptions): PendingLogin | undefined {
  const { keys, lifetimeSeconds, clock } = options
  const nowSeconds = epochSeconds(clock)
  const signed = openSignedValue(name, text, { secret: keys.secret, lifetimeSeconds, nowSeconds })
  const payload = signed && decryptCfb(signed.value, keys.key)
  const { s, n, cv, pv, pp } = (payload && decodeMap(payload)) ?? {}
  if (!(s instanceof Uint8Array) || !(n instanceof Uint8Array)) return undefined
  const secrets = { state: s, nonce: new Uint8Array(n), codeVerifier: typeof cv === 'string' ? cv : '' }
  return {
    ...secrets,
    ...(typeof pv === 'string' ? { provider: pv } : {}),
    ...(typeof pp === 'string' ? { purpose: JSON.parse(pp) as LoginPurpose } : {}), // written above, and signed
  }
}

/**
 * Names of login cookies that must go so that, with one more, at most `limit` remain: the unreadable ones and the
 * oldest (the original lets them pile up until the header is too large).
 */
export function surplusCsrfCookies(
  cookieHeader: string | undefined,
  { limit, cookieName, keys, lifetimeSeconds, clock }: CsrfCookieOptions & { limit: number },
): string[] {
  const nowSeconds = epochSeconds(clock)
  const aged = parseCookies(cookieHeader)
    .filter(([name]) => isCsrfCookie(name, cookieName))
    .map(([name, text]) => {
      const signed = openSignedValue(name, text, { secret: keys.secret, lifetimeSeconds, nowSeconds })
      return { name, signedAt: signed?.signedAt ?? 0 }
    })
    .sort((a, b) => b.signedAt - a.signedAt)
  const kept = new Set(aged.filter(({ signedAt }) => signedAt > 0).slice(0, limit - 1))
  return [...new Set(aged.filter((cookie) => !kept.has(cookie)).map(({ name }) => name))]
}

/** `Set-Cookie` values that delete these login cookies. */
export function clearCsrfCookies(names: readonly string[], attributes: CookieAttributes): string[] {
  return names.map((name) => formatSetCookie(name, '', { ...attributes, maxAgeSeconds: 0 }))
}
