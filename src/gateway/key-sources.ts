import { isForbiddenHost, isPrivateHost } from '../http/forbidden-addresses.ts'
import type { Fetch } from '../http/part.ts'
import type { Clock } from '../kit/clock.ts'
import { limitedText } from '../kit/limited-text.ts'
import type { Log } from '../kit/log.ts'
import type { JwtRule } from '../policy/request-authentication.ts'
import { parseKeySet, type VerificationKey } from '../tokens/jwk.ts'
import type { ParsedJwt } from '../tokens/jwt.ts'
import { openRemoteKeySet, type RemoteKeySet } from '../tokens/remote-key-set.ts'
import type { GatewayMode } from './gateway-mode.ts'
import type { Refreshable } from './key-refresher.ts'

/** Where the keys of an issuer come from. */
export interface KeySource extends Refreshable {
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

/**
 * A key set is fetched from an address that configuration, or an issuer, names. What a name resolves to is judged by who
 * connects (`app/outside-fetch.ts`). @throws TypeError for one no issuer has.
 */
function checkKeysUrl(url: string): void {
  const { hostname, protocol } = new URL(url)
  if (isForbiddenHost(hostname) || !/^https?:$/.test(protocol)) {
    throw new TypeError(`keys are not fetched from \`${url}\`: it is no address of an issuer`)
  }
}

const cooldownMilliseconds = 10_000
const maxDocumentBytes = 1024 * 1024

/** OpenID Connect Discovery 1.0 §4; asked when the first token comes or keys are refreshed, again after a pause. */
function openDiscovered(rule: JwtRule, dependencies: Dependencies): KeySource {
  const { clock, log } = dependencies
  let found: { readonly url: string; readonly keySet: RemoteKeySet } | undefined
  let asking: Promise<boolean> | undefined
  let isDown = false
  let askedAt = Number.NEGATIVE_INFINITY

  async function discover(): Promise<boolean> {
    askedAt = clock.now()
    try {
      const url = await discoverKeysUrl(rule, dependencies)
      if (found?.url !== url) found = { url, keySet: openAt(url, rule, dependencies) }
      isDown = false
      return true
    } catch (cause) {
      log[isDown ? 'debug' : 'warn']('issuer could not be discovered', { issuer: rule.issuer, cause }) // once
      isDown = true
      return false
    }
  }

  function discoverOnce(): Promise<boolean> {
    asking ??= discover().finally(() => {
      asking = undefined
    })
    return asking
  }

  return {
    async keysFor(jwt) {
      if (!found && (asking || clock.now() - askedAt >= cooldownMilliseconds)) await discoverOnce()
      return found?.keySet.keysFor(jwt)
    },
    // an issuer may move its keys; while it is down those known are fetched from where they were
    async refresh() {
      await discoverOnce()
      return (await found?.keySet.refresh?.()) ?? false
    },
  }
}

async function discoverKeysUrl({ issuer, timeoutMilliseconds }: JwtRule, { fetch }: Dependencies): Promise<string> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
  checkKeysUrl(url)
  const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(timeoutMilliseconds) })
  if (!response.ok) throw new TypeError(`status ${response.status}`)
  const { jwks_uri: keysUrl } = JSON.parse(await limitedText(response, maxDocumentBytes)) as { jwks_uri?: unknown }
  if (typeof keysUrl !== 'string') throw new TypeError('the discovery document has no jwks_uri')
  checkDiscovered(new URL(keysUrl), new URL(url))
  return keysUrl
}

/** What a document says is less than what a configuration says: it leads to nothing less guarded than itself. */
function checkDiscovered(keys: URL, issuer: URL): void {
  if (issuer.protocol === 'https:' && keys.protocol !== 'https:') {
    throw new TypeError(`the issuer is \`https\`, its jwks_uri \`${keys.protocol.slice(0, -1)}\``)
  }
  if (isPrivateHost(keys.hostname) && !isInside(issuer.hostname)) {
    throw new TypeError(
      `the jwks_uri leads to the private address \`${keys.hostname}\`; name it as jwksUri if it is meant`,
    )
  }
}

/** An address of a cluster or a private network: Kubernetes' own issuer names its API server's address. */
function isInside(hostname: string): boolean {
  const name = hostname.replace(/\.$/, '')
  return isPrivateHost(name) || !name.includes('.') || /\.(?:svc|local|internal)$/.test(name)
}
