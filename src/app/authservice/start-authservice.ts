import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Fetch } from '../../http/part.ts'
import { systemClock } from '../../kit/clock.ts'
import { fail } from '../../kit/errors.ts'
import type { Log } from '../../kit/log.ts'
import { formatProblem } from '../../kit/problems.ts'
import { systemRandom } from '../../kit/random.ts'
import type { AuthserviceSettings } from '../../proxy/authservice/settings.ts'
import type { ProxyConfig } from '../../proxy/config.ts'
import { openProxy, type ProxyPart } from '../../proxy/open-proxy.ts'
import { extAuthzHandler } from '../../proxy/transports/ext-authz-http.ts'
import { openClusterFetch } from '../cluster-fetch.ts'
import { type GrpcListener, openGrpcListener } from '../listening/grpc-listener.ts'
import { listenAt, portOf } from '../listening/listen-at.ts'
import { type OpenServer, openServer } from '../open-server.ts'
import { openProgramRecords } from '../program-records.ts'
import { type Judge, openJudge } from './judge.ts'
import type { AuthservicePlan } from './plan-authservice.ts'

/** The program, listening. */
export interface RunningAuthservice {
  readonly ports: {
    readonly check: number | undefined
    readonly readiness: number | undefined
    readonly pages: number | undefined
    readonly grpc: number | undefined
  }
  /** Whether users can sign in. */
  isReady(): boolean
  /** Stops listening, lets answers under way finish, closes everything. */
  close(): Promise<void>
}

const graceMilliseconds = 30_000

const systemFetch: Fetch = (input, init) => fetch(input, init)

/** Starts the drop-in; `reach` stands for the network. A provider that does not answer is asked again. @throws GatehouseError */
export async function startAuthservice(
  plan: AuthservicePlan,
  { log, reach }: { log: Log; reach?: Fetch },
): Promise<RunningAuthservice> {
  const { config, host, ports, warnings } = plan
  for (const warning of warnings) log.warn(formatProblem(warning).replace(': warning:', ':'))
  const { records, closeDatabase } = await openProgramRecords(config.database_file, log)
  const network = { fetch: reach ?? systemFetch, clusterFetch: reach ?? openClusterFetch(config) }
  const dependencies = { clock: systemClock, random: systemRandom, ...network }
  const proxy = openProxy({ ...dependencies, config, records, log })
  const settings = config.authservice ?? fail('config', 'no settings of oidc-authservice')
  const judge = openJudge(proxy, config, settings)
  const handlers = handlersOf(proxy, judge, { config, settings })
  const servers: OpenServer[] = []
  let grpc: GrpcListener | undefined
  const listen = async (handle: Handler, port: number): Promise<number | undefined> => {
    const opened = openServer({ log })
    servers.push(opened)
    // an Envoy in front brings everybody's requests over few connections
    opened.serve({ handle, upgrade: (_request, socket) => socket.destroy() }, { isBehindProxies: true })
    await listenAt(opened.server, { kind: 'tcp', host, port })
    return portOf(opened.server)
  }
  const close = async (): Promise<void> => {
    await Promise.all([...servers, ...(grpc ? [grpc] : [])].map((one) => one.close(graceMilliseconds)))
    await proxy.close?.()
    await closeDatabase()
  }
  try {
    proxy.ready() // begins to look for the provider
    const check = await listen(handlers.check, ports.check)
    const readiness = await listen(handlers.readiness, ports.readiness)
    const pages = await listen(handlers.pages, ports.pages)
    grpc = await openGrpcListener(config.grpc_address, { proxy: () => ({ ...proxy, check: judge.check }), log })
    log.info('listening', { check, readiness, pages, grpc: grpc?.port })
    return { ports: { check, readiness, pages, grpc: grpc?.port }, isReady: () => proxy.ready(), close }
  } catch (error) {
    await close()
    throw error
  }
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void

function handlersOf(
  proxy: ProxyPart,
  judge: Judge,
  { config, settings }: { config: ProxyConfig; settings: AuthserviceSettings },
): Record<'check' | 'readiness' | 'pages', Handler> {
  const facts = { random: systemRandom, requestIdHeader: config.request_id_header }
  return {
    check: extAuthzHandler(judge, { ...facts, pathPrefix: config.ext_authz_path_prefix }),
    readiness: (_request, response) =>
      void response.writeHead(proxy.ready() ? 200 : 503, { 'content-length': 0 }).end(),
    pages: extAuthzHandler(pagesOf(proxy, settings), facts),
  }
}

/** The pages alone, at their path, or without the prefix which a route has taken away. */
function pagesOf(proxy: ProxyPart, { prefix }: AuthserviceSettings): Pick<ProxyPart, 'answer' | 'isOwnPath'> {
  const isPage = (path: string) => /^\/(site|static)\//.test(path)
  return {
    isOwnPath: () => false,
    answer(request) {
      const { path } = request
      const inside = path.startsWith(`${prefix}/`) ? path.slice(prefix.length) : path
      if (isPage(inside)) return proxy.check({ ...request, path: prefix + inside })
      return { status: 404, headers: ['content-type', 'text/plain; charset=utf-8'], body: 'Not Found\n' }
    },
  }
}
