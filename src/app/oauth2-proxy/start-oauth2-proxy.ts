import type { Fetch } from '../../http/part.ts'
import { systemClock } from '../../kit/clock.ts'
import { formatGoDuration } from '../../kit/duration.ts'
import { fail } from '../../kit/errors.ts'
import type { Log } from '../../kit/log.ts'
import { formatProblem } from '../../kit/problems.ts'
import { systemRandom } from '../../kit/random.ts'
import { alphaOf } from '../../proxy/alpha/alpha-of-config.ts'
import type { ProxyConfig } from '../../proxy/config.ts'
import { openProxy, type ProxyPart } from '../../proxy/open-proxy.ts'
import { checkRedis } from '../../proxy/sessions/redis-readiness.ts'
import { openClusterFetch } from '../cluster-fetch.ts'
import { type GrpcListener, openGrpcListener } from '../listening/grpc-listener.ts'
import { openProgramRecords } from '../program-records.ts'
import { fingerprint, watchFiles } from '../watch-files.ts'
import type { Oauth2ProxyPlan } from './command-line.ts'
import { openFront } from './front.ts'
import { type Listeners, openListeners } from './listeners.ts'
import { openOutput } from './output.ts'
import { openTextLog } from './text-log.ts'
import { openUpstreams } from './upstreams.ts'

/** The program, listening. */
export interface RunningOauth2Proxy {
  readonly ports: Listeners['ports']
  readonly metricsPorts: Listeners['ports']
  /** Of the check by gRPC, where there is one. */
  readonly grpcPort: number | undefined
  /** Looks now whether certificates or the cookie secret have changed, which is done every two seconds anyway. */
  check(): void
  /** Stops listening, lets answers under way finish, closes everything. */
  close(): Promise<void>
}

const graceMilliseconds = 30_000

/** Starts the drop-in. A provider that does not answer is tried again, and named by `/ready`. @throws GatehouseError */
export async function startOauth2Proxy({ config, formats, warnings }: Oauth2ProxyPlan): Promise<RunningOauth2Proxy> {
  const alpha = alphaOf(config)
  if (!hasListener(alpha.server)) fail('config', 'nothing to listen on; write server.bindAddress, or http_address')
  const now = () => systemClock.now()
  const output = openOutput(config, now)
  const lines = openTextLog({ config, formats, now, ...output })
  const { log } = lines
  for (const warning of warnings) log.warn(formatProblem(warning).replace(': warning:', ':'))
  if (config.compat) await checkRedis(config, { random: systemRandom, log })
  const { records, closeDatabase } = await openRecords(config, log)
  const proxy = openReloadedProxy(config, {
    log,
    open: () => openProxy({ ...dependencies(config), config, records, log }),
  })
  const upstreams = openUpstreams({ config, alpha, proxy: proxy.current, log })
  proxy.onReplaced(upstreams.closeSockets)
  const metrics = hasListener(alpha.metricsServer) ? await openMetrics() : undefined
  let listeners: Listeners | undefined
  let metricsListeners: Listeners | undefined
  let grpc: GrpcListener | undefined
  let closing: Promise<void> | undefined
  const close = (): Promise<void> => {
    closing ??= closeAll()
    return closing
  }
  const closeAll = async (): Promise<void> => {
    upstreams.closeUpgraded()
    await Promise.all([listeners?.close(graceMilliseconds), grpc?.close(graceMilliseconds), metricsListeners?.close(0)])
    await upstreams.close()
    await proxy.close()
    await closeDatabase()
    output.close()
  }
  try {
    const handler = openFront({
      ...{ config, now, lines, metrics, upstreams },
      proxy: proxy.current,
      random: systemRandom,
      securePort: () => listeners?.ports.secure,
    })
    listeners = await openListeners(alpha.server, { handler, log })
    grpc = await openGrpcListener(config.grpc_address, { proxy: proxy.current, log })
    const upgrade = (_request: unknown, socket: { destroy(): void }) => socket.destroy()
    if (metrics) {
      metricsListeners = await openListeners(alpha.metricsServer, {
        handler: { handle: metrics.handler, upgrade },
        log,
      })
    }
  } catch (error) {
    await close()
    throw error
  }
  tellStart(config, log)
  proxy.current().ready() // asks the provider: a wrong issuer is in the log before anybody signs in
  return {
    ports: listeners.ports,
    metricsPorts: metricsListeners?.ports ?? { plain: undefined, secure: undefined },
    grpcPort: grpc?.port,
    check() {
      listeners?.check()
      metricsListeners?.check()
      proxy.check()
    },
    close,
  }
}

/** Where what lives on the server is kept: ended sessions, tokens, and the sessions themselves with the store `sqlite`. */
async function openRecords({ database_file: file, session_store_type: store }: ProxyConfig, log: Log) {
  if (file === '' && store === 'sqlite') {
    log.warn('sessions end with this process; name a database_file to keep them')
  }
  return openProgramRecords(file, log)
}

/** The library is loaded where somebody asks for numbers: it would take a fifth of the time of a start. */
async function openMetrics() {
  const { openRequestMetrics } = await import('./metrics.ts')
  return openRequestMetrics()
}

function dependencies(config: ProxyConfig) {
  const reach: Fetch = (input, init) => fetch(input, init)
  return { clock: systemClock, random: systemRandom, fetch: reach, clusterFetch: openClusterFetch(config) }
}

function hasListener({ bindAddress, secureBindAddress }: { bindAddress: string; secureBindAddress: string }): boolean {
  return [bindAddress, secureBindAddress].some((address) => address !== '' && address !== '-')
}

/** A proxy that is opened anew when its cookie secret changes: the original reads that file at each request. */
function openReloadedProxy(
  { cookie_secret: secret, cookie_secret_file: path }: ProxyConfig,
  { open, log }: { open: () => ProxyPart; log: Log },
) {
  const isWatched = secret === '' && path !== ''
  const since = isWatched ? fingerprint(path) : ''
  let proxy = open()
  let replaced: () => void = () => {}
  const watched = isWatched
    ? watchFiles({
        path,
        since,
        load: open,
        apply(fresh) {
          const old = proxy
          proxy = fresh
          replaced()
          void old.close?.()
        },
        log,
      })
    : undefined
  return {
    current: () => proxy,
    /** Told when the sessions of before count no more. */
    onReplaced(listener: () => void) {
      replaced = listener
    },
    check: () => watched?.check(),
    async close() {
      watched?.close()
      await proxy.close?.()
    },
  }
}

/** The two lines the original says when it starts (oauthproxy.go `NewOAuthProxy`). */
function tellStart(config: ProxyConfig, log: Log): void {
  const { cookie_refresh: refresh } = config
  const { providers } = alphaOf(config)
  for (const { provider, name, clientID } of providers) {
    log.info(`OAuthProxy configured for ${name || provider} Client ID: ${clientID}`)
  }
  const settings = [
    `name:${config.cookie_name}`,
    `secure(https):${config.cookie_secure}`,
    `httponly:${config.cookie_httponly}`,
    `expiry:${formatGoDuration(config.cookie_expire)}`,
    `domains:${config.cookie_domains.join(',')}`,
    `path:${config.cookie_path}`,
    `samesite:${config.cookie_samesite}`,
    `refresh:${refresh === 0 ? 'disabled' : `after ${formatGoDuration(refresh)}`}`,
  ]
  log.info(`Cookie settings: ${settings.join(' ')}`)
}
