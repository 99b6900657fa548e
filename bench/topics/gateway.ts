import { type BenchServer, startHelper } from '../helpers.ts'
import { canLoad, type LoadResult, loadCpu, runLoad, serverCpu } from '../load.ts'
import { type FrontOrigins, startCaddy, startNginx, startNginxApplication, startOauth2Proxy } from '../peers.ts'
import { type BenchChain, benchPlatform, type PlatformSize, startChain } from '../platform.ts'
import { milliseconds, printTable, thousands } from '../table.ts'

/** The cost of a request is to stay the same however much is configured. */
const sizes: readonly PlatformSize[] = [
  { routes: 10, policies: 10 },
  { routes: 200, policies: 50 },
  { routes: 1000, policies: 500 },
]

/** What a 1 kB answer costs on its way through routes, check, token, policies and forwarding; others do the same job. */
export async function benchGateway(): Promise<void> {
  if (!canLoad) {
    console.log('\nGateway: skipped, no `wrk` on the PATH (install the Debian package wrk)')
    return
  }
  const application = (await startNginxApplication(loadCpu)) ?? (await startHelper('application', { cpu: loadCpu }))
  const applicationPort = Number(new URL(application.origin).port)
  const directory = benchPlatform({ applicationPort })
  const chain = await startChain(directory)
  const headers = { cookie: chain.cookie }
  const rowsOfOurs = [row('Gatehouse: check, token, policies, forwarding', load(chain))]
  await chain.stop()
  for (const size of sizes) {
    const sized = await startChain(benchPlatform({ applicationPort, size }))
    rowsOfOurs.push(row(`Gatehouse with ${size.routes} routes, ${size.policies} policies`, load(sized)))
    await sized.stop()
  }

  const original = await startOauth2Proxy()
  const proxy = original ?? (await startHelper('proxy', { cpu: serverCpu, argument: directory }))
  const name = original ? 'oauth2-proxy' : 'Gatehouse proxy'
  const origins = { check: proxy.origin, application: application.origin }
  const rows = [
    ...rowsOfOurs,
    await peerRow(`nginx auth_request + ${name}`, { start: startNginx, origins, proxy, headers }),
    await peerRow(`Caddy forward_auth + ${name}`, { start: startCaddy, origins, proxy, headers }),
  ]
  await proxy.stop()
  await application.stop()
  printTable(
    'Gateway: a 1 kB answer to a warm session (goal: ≥ 15 k requests per CPU-second)',
    ['way', 'per CPU-second', 'p50', 'p99'],
    rows,
  )
}

function load({ origin, cookie, pid }: BenchChain): LoadResult {
  return runLoad({ url: `${origin}/app/`, headers: { cookie }, pids: [pid] })
}

async function peerRow(
  way: string,
  {
    start,
    origins,
    proxy,
    headers,
  }: {
    start: (origins: FrontOrigins) => Promise<BenchServer | undefined>
    origins: FrontOrigins
    proxy: BenchServer
    headers: Readonly<Record<string, string>>
  },
): Promise<string[]> {
  const front = await start(origins)
  if (!front) return [way, 'not installed', '', '']
  const result = runLoad({ url: `${front.origin}/app/`, headers, pids: [front.pid, proxy.pid] })
  await front.stop()
  return row(way, result)
}

function row(way: string, { perCpuSecond, p50Milliseconds, p99Milliseconds }: LoadResult): string[] {
  return [way, thousands(perCpuSecond), milliseconds(p50Milliseconds), milliseconds(p99Milliseconds)]
}
