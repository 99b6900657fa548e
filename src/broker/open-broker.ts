import { createHash } from 'node:crypto'
import { Hono } from 'hono'
import { bodyFault } from '../http/forms.ts'
import type { Fetch, Part, RequestContext } from '../http/part.ts'
import { assetResponse } from '../http/views/assets.ts'
import { openAttemptLimiter } from '../kit/attempt-limiter.ts'
import type { Clock } from '../kit/clock.ts'
import type { Log } from '../kit/log.ts'
import type { Random } from '../kit/random.ts'
import { openLogoutSender } from '../oidc/logout-sender.ts'
import type { Records } from '../store/records.ts'
import { thumbprint } from '../tokens/jwk.ts'
import { openKeyRing, type SigningKeyStore } from '../tokens/key-ring.ts'
import { openAtRest } from './at-rest.ts'
import type { Broker, Env } from './broker.ts'
import type { BrokerConfig } from './config.ts'
import { openConnectors } from './connectors/index.ts'
import { allowOrigins } from './cors.ts'
import { handleApproval } from './endpoints/approval.ts'
import { chooseConnector, startLogin } from './endpoints/authorize.ts'
import { handleBackchannelLogout } from './endpoints/backchannel-logout.ts'
import { handleCallback } from './endpoints/callback.ts'
import { discoveryDocument } from './endpoints/discovery.ts'
import { handleIntrospection } from './endpoints/introspect.ts'
import { keySetResponse } from './endpoints/keys.ts'
import { handleLogout, handleLogoutCallback } from './endpoints/logout.ts'
import { handlePasswordLogin } from './endpoints/password-login.ts'
import { handleRoot } from './endpoints/root.ts'
import { handleToken } from './endpoints/token.ts'
import { handleUserInfo } from './endpoints/userinfo.ts'
import type { Grant, PendingApproval } from './grant.ts'
import { openTokenIssuer } from './issue-tokens.ts'
import { openIssuer } from './issuer.ts'
import { openLoginStates } from './login-state.ts'
import { openLogoutStates } from './logout-state.ts'
import { openRefreshFamilies } from './refresh-families.ts'
import { openSessions } from './sessions.ts'
import { errorTexts, showError } from './show-error.ts'
import { freePasswordAttempts } from './sign-in-by-password.ts'
import { openTurns } from './turns.ts'

/** What the broker needs of the outside. */
export interface BrokerOptions {
  readonly config: BrokerConfig
  readonly records: Records
  readonly signingKeys: SigningKeyStore
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** To reach identity providers. */
  readonly fetch: Fetch
  /** Encrypts what travels in URLs and upstream tokens at rest; the same on every replica and after a restart. */
  readonly stateSecret: string
}

/** Istio asks for keys every 20 minutes; a new key is published this long before it signs. Milliseconds. */
const publishAhead = 30 * 60_000

/** Opens the broker: a part that answers everything under its issuer's path. */
export async function openBroker(options: BrokerOptions): Promise<Part> {
  const broker = assemble(options)
  await broker.keys.current() // the first key is made now, not in the first sign-in
  const app = routes(broker, options.config.signer?.config.algorithm ?? 'RS256')
  return {
    fetch: (request, context) => app.fetch(request, context ?? unknownContext),
    close: async () => broker.logoutSender.close(),
  }
}

const unknownContext: RequestContext = { requestId: '-', clientAddress: '-' }

function assemble({ config, records, signingKeys, clock, random, log, fetch, stateSecret }: BrokerOptions): Broker {
  const issuer = openIssuer(config.issuer)
  const { expiry, signer, sessions } = config
  const keys = openKeyRing({
    store: signingKeys,
    clock,
    algorithm: signer?.config.algorithm ?? 'RS256',
    schedule: {
      period: signer?.config.keysRotationPeriod ?? expiry.signingKeys,
      publishAhead,
      keepAfter: expiry.idTokens,
    },
    // 40 hex digits, as Dex names its keys
    kidOf: (jwk) => createHash('sha1').update(thumbprint(jwk)).digest('hex'),
  })
  const usedLogoutTokens = records.collection<true>('broker-used-logout-tokens')
  const connecting = { callbackUrl: issuer.absolute('/callback'), fetch, usedLogoutTokens, clock, log }
  const atRest = openAtRest({ secret: stateSecret, clock, random })
  const families = openRefreshFamilies({ records, secret: stateSecret, policy: expiry.refreshTokens, clock })
  return {
    config,
    issuer,
    clients: new Map(config.staticClients.map((client) => [client.id, client])),
    connectors: openConnectors(config, connecting).toSorted((a, b) => a.name.localeCompare(b.name)),
    keys,
    issueTokens: openTokenIssuer({ issuer: issuer.url, keys, lifetime: expiry.idTokens, clock, random }),
    logouts: openLogoutStates({ secret: stateSecret, clock, random }),
    logins: openLoginStates({ secret: stateSecret, lifetime: expiry.authRequests, clock, random }),
    finishedAttempts: records.collection<true>('broker-finished-attempts'),
    approvals: records.collection<PendingApproval>('broker-approvals'),
    codes: records.collection<Grant>('broker-codes'),
    families,
    refreshTurns: openTurns(),
    sessions: sessions.enabled
      ? openSessions({
          records,
          atRest,
          clock,
          random,
          familyEnd: families.latestEnd,
          lifetime: sessions.absoluteLifetime,
          tokenLifetime: expiry.idTokens + 3_600_000,
        })
      : undefined,
    logoutSender: openLogoutSender({ fetch, log }),
    passwordAttempts: openAttemptLimiter({ clock, free: freePasswordAttempts }),
    atRest,
    clock,
    random,
    log,
  }
}

const readableAcrossOrigins = [
  '/',
  '/.well-known/openid-configuration',
  '/keys',
  '/token',
  '/userinfo',
  '/token/introspect',
]

/** Every endpoint, in the order of the reference: a trailing slash is another path, as in Dex. */
function routes(broker: Broker, algorithm: string): Hono<Env> {
  const discovery = discoveryDocument(broker, algorithm)
  const app = new Hono<Env>()
  const dex = broker.issuer.path === '' ? app : app.basePath(broker.issuer.path)
  if (broker.config.web.allowedOrigins.length > 0) {
    const cors = allowOrigins(broker.config)
    for (const path of readableAcrossOrigins) dex.use(path, cors)
  }
  dex.get('/', (c) => handleRoot(broker, c.env))
  dex.get('/.well-known/openid-configuration', () => jsonText(discovery))
  dex.get('/keys', () => keySetResponse(broker))
  dex.all('/auth', (c) => chooseConnector(broker, c.req.raw, c.env))
  dex.all('/auth/:connector', (c) =>
    startLogin(broker, c.req.raw, { connectorId: c.req.param('connector'), context: c.env }),
  )
  dex.all('/auth/:connector/login', (c) =>
    handlePasswordLogin(broker, c.req.raw, { connectorId: c.req.param('connector'), context: c.env }),
  )
  dex.all('/callback', (c) => handleCallback(broker, c.req.raw, { connectorId: undefined, context: c.env }))
  dex.all('/callback/:connector', (c) =>
    handleCallback(broker, c.req.raw, { connectorId: c.req.param('connector'), context: c.env }),
  )
  dex.all('/approval', (c) => handleApproval(broker, c.req.raw, c.env))
  dex.all('/token', (c) => handleToken(broker, c.req.raw, c.env))
  dex.all('/userinfo', (c) => handleUserInfo(broker, c.req.raw))
  dex.all('/token/introspect', (c) => handleIntrospection(broker, c.req.raw))
  if (broker.sessions) {
    dex.on(['GET', 'POST'], '/logout', (c) => handleLogout(broker, c.req.raw, c.env))
    dex.get('/logout/callback', (c) => handleLogoutCallback(broker, c.req.raw, c.env))
    dex.post('/backchannel-logout/:connector', (c) =>
      handleBackchannelLogout(broker, c.req.raw, { connectorId: c.req.param('connector'), context: c.env }),
    )
  }
  dex.get('/healthz', () => new Response('Health check passed', { headers: { 'content-type': 'text/plain' } }))
  dex.get('/static/:file', (c) => assetResponse(c.req.param('file')))
  dex.get('/robots.txt', () => new Response('User-agent: *\nDisallow: /\n'))
  app.notFound((c) => showError(broker, c.env, { status: 404, message: errorTexts.noResource }))
  app.onError((error, c) => {
    const fault = bodyFault(error)
    if (fault !== undefined) {
      const message = fault === 413 ? 'The form is too large.' : 'The form broke off.'
      return showError(broker, c.env, { status: fault, message })
    }
    broker.log.error('request failed', { requestId: c.env.requestId, error })
    return showError(broker, c.env, { status: 500, message: 'Internal server error.' })
  })
  return app
}

function jsonText(text: string): Response {
  return new Response(text, { headers: { 'content-type': 'application/json' } })
}
