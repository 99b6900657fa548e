import type { Fetch } from '../http/part.ts'
import type { Clock } from '../kit/clock.ts'
import type { Log } from '../kit/log.ts'
import type { JwtRule } from '../policy/request-authentication.ts'
import { parseKeySet, type VerificationKey } from '../tokens/jwk.ts'
import type { ParsedJwt } from '../tokens/jwt.ts'
import { openRemoteKeySet, type RemoteKeySet } from '../tokens/remote-key-set.ts'
import type { GatewayMode } from './config.ts'

/** Where the keys of an issuer come from. */
export interface KeySource {
  /** The keys that may verify this token; `undefined` where none could be had. */
  keysFor(jwt: ParsedJwt): Promise<readonly VerificationKey[] | undefined>
}

interface Dependencies {
  readonly mode: GatewayMode
  readonly fetch: Fetch
  readonly clock: Clock
  readonly log: Log
}

/** The keys of a rule: inline, at `jwksUri`, or where the issuer's discovery document says. */
export function openKeySource(rule: JwtRule, dependencies: Dependencies): KeySource {
  if (rule.jwks !== undefined) {
    const keys = parseKeySet(rule.jwks)
    return { keysFor: async () => keys }
  }
  if (rule.jwksUri !== undefined) return openAt(rule.jwksUri, rule, dependencies)
  return openDiscovered(rule, dependencies)
}

function openAt(url: string, rule: JwtRule, { mode, fetch, clock, log }: Dependencies): RemoteKeySet {
  const guarded: typeof fetch = (input, init) => {
    checkKeysUrl(url)
    return fetch(input, init)
  }
  const istiod = mode === 'istio' ? { maxAge: istiodRefreshMilliseconds, refetchesUnknown: false } : {}
  return openRemoteKeySet({ url, fetch: guarded, clock, log, timeout: rule.timeoutMilliseconds, ...istiod })
}

/** PILOT_JWT_PUB_KEY_REFRESH_INTERVAL; istiod never asks again because of an unknown `kid`. */
const istiodRefreshMilliseconds = 20 * 60_000

/** Where clouds tell machines their secrets; an issuer is never there. */
const metadataHosts = new Set(['metadata.google.internal', '[fd00:ec2::254]', '100.100.100.200'])

/** A key set is fetched from an address that configuration, or an issuer, names. @throws TypeError for link-local ones. */
function checkKeysUrl(url: string): void {
  const { hostname, protocol } = new URL(url)
  const isLinkLocal = hostname.startsWith('169.254.') || /^\[(?:fe[89ab]|::ffff:a9fe:)/.test(hostname)
  if (isLinkLocal || metadataHosts.has(hostname) || !/^https?:$/.test(protocol)) {
    throw new TypeError(`keys are not fetched from \`${hostname}\`: it is no address of an issuer`)
  }
}

const cooldownMilliseconds = 10_000
const maxDocumentCharacters = 1024 * 1024

/** OpenID Connect Discovery 1.0 §4; asked when the first token comes, again after a failure and a pause. */
function openDiscovered(rule: JwtRule, dependencies: Dependencies): KeySource {
  const { clock, log } = dependencies
  let keySet: RemoteKeySet | undefined
  let asking: Promise<void> | undefined
  let askedAt = Number.NEGATIVE_INFINITY

  async function discover(): Promise<void> {
    askedAt = clock.now()
    try {
      keySet = openAt(await discoverKeysUrl(rule, dependencies), rule, dependencies)
    } catch (cause) {
      log.warn('issuer could not be discovered', { issuer: rule.issuer, cause })
    }
  }

  return {
    async keysFor(jwt) {
      if (!keySet && (asking || clock.now() - askedAt >= cooldownMilliseconds)) {
        asking ??= discover().finally(() => {
          asking = undefined
        })
        await asking
      }
      return keySet?.keysFor(jwt)
    },
  }
}

async function discoverKeysUrl({ issuer, timeoutMilliseconds }: JwtRule, { fetch }: Dependencies): Promise<string> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
  checkKeysUrl(url)
  const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(timeoutMilliseconds) })
  if (!response.ok) throw new TypeError(`status ${response.status}`)
  const text = await response.text()
  if (text.length > maxDocumentCharacters) throw new TypeError('the discovery document is too large')
  const { jwks_uri: keysUrl } = JSON.parse(text) as { jwks_uri?: unknown }
  if (typeof keysUrl !== 'string') throw new TypeError('the discovery document has no jwks_uri')
  return keysUrl
}
