import { openBroker } from '../broker/open-broker.ts'
import { openConsole } from '../console/console.ts'
import { openEcho } from '../demo/echo.ts'
import { openNotes } from '../demo/notes.ts'
import type { Part } from '../http/part.ts'
import { openProxy } from '../proxy/open-proxy.ts'
import { openRealm } from '../realm/open-realm.ts'
import { openSigningKeys } from '../store/signing-keys.ts'
import type { PartDependencies, RunningParts } from './parts.ts'
import { portalApps } from './portal-apps.ts'

/** Opens each part the chain configures and puts it into `parts`. */
export async function openParts(parts: RunningParts, dependencies: PartDependencies): Promise<void> {
  const { chain, secrets, database, records, clock, random, log, fetch } = dependencies
  const shared = { clock, random, records, fetch, stateSecret: secrets.state }
  if (chain.realm) {
    parts.realm = await openRealm({ ...shared, config: chain.realm, database, log: log.with({ part: 'realm' }) })
  }
  if (chain.broker) {
    const signingKeys = openSigningKeys(database, 'broker')
    parts.broker = await openBroker({ ...shared, config: chain.broker, signingKeys, log: log.with({ part: 'broker' }) })
  }
  if (chain.proxy) {
    const { clusterFetch = dependencies.outside } = dependencies
    parts.proxy = openProxy({ ...shared, clusterFetch, config: chain.proxy, log: log.with({ part: 'proxy' }) })
  }
  openApps(parts, dependencies)
}

/** The console and, where the chain routes to them, the demo apps. */
function openApps(parts: RunningParts, dependencies: PartDependencies): void {
  const { chain, log } = dependencies
  const routed = new Set(chain.hosts.values())
  if (routed.has('echo')) parts.echo = openEcho({ basePath: '/echo' })
  const notes = routed.has('notes') ? openNotesApp(dependencies) : undefined
  if (notes) parts.notes = notes
  const proxyPath = chain.proxy?.proxy_prefix ?? '/oauth2'
  parts.console = openConsole({
    publicUrl: chain.publicUrl,
    basePath: '/gatehouse',
    apps: portalApps(chain),
    signOutPath: `${proxyPath}/sign_out`,
    ...(chain.proxy ? { tokensPath: `${proxyPath}/tokens` } : {}),
    signInPath: `${proxyPath}/start?rd=%2F`,
    log: log.with({ part: 'console' }),
  })
}

/** The notes app is a client of the first realm that knows it. */
function openNotesApp({ chain, secrets, records, clock, random, log, fetch }: PartDependencies): Part | undefined {
  const realm = chain.realm?.realms.find(({ clients }) => clients?.some(({ clientId }) => clientId === 'notes'))
  const secret = realm?.clients?.find(({ clientId }) => clientId === 'notes')?.secret
  if (!realm || !chain.realm || secret === undefined) return undefined
  return openNotes({
    publicUrl: `${chain.publicUrl}/notes`,
    issuer: `${chain.realm.publicUrl}/realms/${realm.realm}`,
    clientId: 'notes',
    clientSecret: secret,
    stateSecret: secrets.state,
    notes: records.collection('notes'),
    endedSessions: records.collection('notes-ended-sessions'),
    usedLogoutTokens: records.collection('notes-used-logout-tokens'),
    fetch,
    clock,
    random,
    log: log.with({ part: 'notes' }),
  })
}
