import { createHash, createSecretKey, hkdfSync } from 'node:crypto'
import { Hono } from 'hono'
import type { Kysely } from 'kysely'
import type { Fetch, Part, RequestContext } from '../http/part.ts'
import { assetResponse } from '../http/views/assets.ts'
import type { Clock } from '../kit/clock.ts'
import type { Log } from '../kit/log.ts'
import type { Random } from '../kit/random.ts'
import { openLogoutSender } from '../oidc/logout-sender.ts'
import { openStateSealer } from '../oidc/sealed-state.ts'
import type { Records, RecordTables } from '../store/records.ts'
import { openSigningKeys, type SigningKeyTables } from '../store/signing-keys.ts'
import { openKeyRing, type RotationSchedule } from '../tokens/key-ring.ts'
import { endedSessionsOf, openClientLogout } from './client-logout.ts'
import type { RealmConfig } from './config.ts'
import { endpoints } from './endpoints/index.ts'
import { createMissingUsers } from './import/create-missing-users.ts'
import { importRealm } from './import/import-realm.ts'
import { loadRealmModel, type RealmModel } from './model.ts'
import { openPasswordHasher, type PasswordHasher } from './passwords/hash-password.ts'
import { openThrottle } from './passwords/throttle.ts'
import type { Realm } from './realm.ts'
import type { RealmRepresentation } from './representation.ts'
import { serve } from './serve.ts'
import { openSessionStore } from './session-store.ts'
import type { RealmTables } from './tables.ts'
import { openUserStore } from './user-store.ts'

/** What the realm part is given. */
export interface RealmOptions {
  readonly config: RealmConfig
  /** Migrated with `storeMigrations` and `realmMigrations`. */
  readonly database: Kysely<RealmTables & RecordTables & SigningKeyTables>
  readonly records: Records
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Reaches clients that want to know of sign-outs. */
  readonly fetch: Fetch
  /** Encrypts logins under way and signs refresh tokens and cookies: the same on every replica and after a restart. */
  readonly stateSecret: string
  /** For tests. */
  readonly hasher?: PasswordHasher
}

const dayMs = 24 * 3600 * 1000

/** Opens the identity provider: brings the database in line with the realms' files, then serves them. */
export async function openRealm(options: RealmOptions): Promise<Part> {
  const { config } = options
  const hasher = options.hasher ?? openPasswordHasher({ random: options.random })
  const base = new URL(config.publicUrl).pathname.replace(/\/$/, '')
  const realms = new Map<string, Realm>()
  for (const representation of config.realms) {
    const model = await reconcile(representation, { ...options, hasher })
    const realm = assemble(model, { ...options, hasher, base })
    await realm.keys.current() // the first key is made now, not at the first login
    realms.set(model.name, realm)
  }
  const app = route(base, realms)
  return {
    fetch: async (request, context = { requestId: '-', clientAddress: '' }) =>
      secured(await app.fetch(request, { ...context }), config.publicUrl.startsWith('https:')),
    async close() {
      for (const realm of realms.values()) realm.clientLogout.close()
    },
  }
}

async function reconcile(
  representation: RealmRepresentation,
  { database, random, clock, hasher, log }: RealmOptions & { hasher: PasswordHasher },
): Promise<RealmModel> {
  const typed = database as unknown as Kysely<RealmTables> // the tables of this room are among them
  await importRealm(representation, { database: typed, random })
  await createMissingUsers(representation, { database: typed, clock, random, hasher, log })
  const model = await loadRealmModel(typed, representation.realm)
  if (!model) throw new TypeError(`the realm \`${representation.realm}\` went away while it was opened`)
  return model
}

function assemble(model: RealmModel, options: RealmOptions & { hasher: PasswordHasher; base: string }): Realm {
  const { config, database, records, clock, random, log, stateSecret, hasher, base } = options
  const typed = database as unknown as Kysely<RealmTables> // as above
  const { settings } = model
  const parts = { database: typed, realmId: model.id, clock, random }
  const path = `${base}/realms/${encodeURIComponent(model.name)}`
  const issuer = `${config.publicUrl.replace(/\/$/, '')}/realms/${encodeURIComponent(model.name)}`
  const keys = openKeyRing({
    store: openSigningKeys(database as unknown as Kysely<SigningKeyTables>, `realm ${model.id}`),
    clock,
    algorithm: settings.defaultSignatureAlgorithm,
    schedule: rotationSchedule(config, model),
  })
  const realmLog = log.with({ realm: model.name })
  const sender = openLogoutSender({ fetch: options.fetch, log: realmLog })
  const sealer = (purpose: string) =>
    openStateSealer({ secret: stateSecret, purpose: `realm ${model.id} ${purpose}`, clock, random })
  return {
    model,
    path,
    issuer,
    assetsPath: `${base}/resources`,
    isSecure: config.publicUrl.startsWith('https:'),
    database: typed,
    users: openUserStore({ ...parts, uniqueEmails: !settings.duplicateEmailsAllowed }),
    sessions: openSessionStore({ ...parts, settings, ended: endedSessionsOf(records, model.id) }),
    clientLogout: openClientLogout({ model, issuer, keys, records, sender, clock, random, log: realmLog }),
    keys,
    ownKey: openOwnKey(stateSecret, model.id),
    codes: records.collection('realm-codes'),
    usedRefreshTokens: records.collection('realm-used-refresh-tokens'),
    revokedTokens: records.collection('realm-revoked-tokens'),
    hasher,
    throttle: openThrottle({ records, clock, realmId: model.id, settings }),
    loginSealer: sealer('login'),
    restartSealer: sealer('restart'),
    updateSealer: sealer('update password'),
    logoutSealer: sealer('logout'),
    clock,
    random,
    log: realmLog,
  }
}

/** A key verifies until the last token it signed is dead; ID tokens may come back as logout hints for a session's life. */
function rotationSchedule({ rotation }: RealmConfig, { settings, clients }: RealmModel): RotationSchedule {
  const lifespans = [...clients.values()].map(({ attributes }) => Number(attributes['access.token.lifespan'] ?? 0) || 0)
  const longest = Math.max(settings.accessTokenLifespan, settings.ssoSessionMaxLifespan, ...lifespans)
  return { period: 90 * dayMs, publishAhead: dayMs, ...rotation, keepAfter: longest * 1000 }
}

function openOwnKey(stateSecret: string, realmId: string): Realm['ownKey'] {
  const bytes = Buffer.from(hkdfSync('sha512', stateSecret, '', `gatehouse realm ${realmId} HS512`, 64))
  const kid = createHash('sha256').update(bytes).digest('base64url').slice(0, 22)
  return { kid, alg: 'HS512', privateKey: createSecretKey(bytes) }
}

function route(base: string, realms: ReadonlyMap<string, Realm>): Hono<{ Bindings: RequestContext }> {
  const app = new Hono<{ Bindings: RequestContext }>({ strict: false })
  app.get(`${base}/resources/:file`, (c) => assetResponse(c.req.param('file')))
  for (const endpoint of endpoints) {
    app.all(`${base}/realms/:realm${endpoint.path}`, async (c) => {
      const realm = realms.get(c.req.param('realm'))
      if (!realm) return c.json({ error: 'Realm does not exist' }, 404)
      return serve(endpoint, { request: c.req.raw, url: new URL(c.req.url), context: c.env }, realm)
    })
  }
  app.get(base === '' ? '/' : base, (c) => c.redirect(home(base, realms)))
  app.notFound((c) => c.json({ error: 'Unable to find matching target resource method' }, 404))
  return app
}

/** Nobody lives at the root: one level up there may be a portal, otherwise the first realm tells about itself. */
function home(base: string, realms: ReadonlyMap<string, Realm>): string {
  const [first] = realms.values()
  return base === '' && first ? first.path : '/'
}

const securityHeaders = {
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'SAMEORIGIN',
  'x-robots-tag': 'none',
}

/** Adds the headers every answer of Keycloak has, where the answer has no stricter one. */
function secured(response: Response, isSecure: boolean): Response {
  if (isSecure) response.headers.set('strict-transport-security', 'max-age=31536000; includeSubDomains')
  for (const [name, value] of Object.entries(securityHeaders)) {
    if (!response.headers.has(name)) response.headers.set(name, value)
  }
  return response
}
