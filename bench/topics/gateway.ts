import { startEnvoyFront, type TokenIssuer } from '../envoy.ts'
import { type BenchServer, startHelper } from '../helpers.ts'
import { canLoad, type LoadResult, loadCpu, runLoad, serverCpu } from '../load.ts'
import { type OpenLoadResult, openLoad } from '../open-load.ts'
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
  const most = load(chain)
  const rows = [row('Gatehouse: check, token, policies, forwarding', most)]
  const added = addedLatency(chain, { application, rate: most.perSecond / 2 })
  const issuer = `${chain.origin}/dex`
  const keySet: unknown = await (await fetch(`${issuer}/keys`)).json()
  await chain.stop()
  for (const size of sizes) {
    const sized = await startChain(benchPlatform({ applicationPort, size }))
    rows.push(row(`Gatehouse with ${size.routes} routes, ${size.policies} policies`, load(sized)))
    await sized.stop()
  }
  rows.push(...(await peerRows({ directory, application, cookie: chain.cookie, issuer, keySet })))
  await application.stop()
  printTable(
    'Gateway: a 1 kB answer to a warm session (goal: ≥ 15 k requests per CPU-second)',
    ['way', 'per CPU-second', 'p50', 'p99'],
    rows,
  )
  printTable('Gateway: latency at half of what goes at most (goal: p99 added ≤ 2 ms)', ['way', 'p50', 'p99'], added)
}

/** How long an answer takes at a steady rate, through the gateway and without it. */
function addedLatency(
  { origin, cookie }: BenchChain,
  { application, rate }: { application: BenchServer; rate: number },
): string[][] {
  const headers = { cookie }
  const without = openLoad(`${application.origin}/app/`, { headers, rate })
  const through = openLoad(`${origin}/app/`, { headers, rate })
  const cells = ({ p50Milliseconds, p99Milliseconds }: OpenLoadResult) => [
    milliseconds(p50Milliseconds),
    milliseconds(p99Milliseconds),
  ]
  return [
    [`the app alone, ${thousands(rate)} requests a second`, ...cells(without)],
    ['through Gatehouse', ...cells(through)],
    [
      'added',
      milliseconds(through.p50Milliseconds - without.p50Milliseconds),
      milliseconds(through.p99Milliseconds - without.p99Milliseconds),
    ],
  ]
}

/** The same job by others, which ask the real oauth2-proxy where it is installed; Envoy asks our check as well. */
async function peerRows({
  directory,
  application,
  cookie,
  ...issuer
}: TokenIssuer & { directory: string; application: BenchServer; cookie: string }): Promise<string[][]> {
  const headers = { cookie }
  const startEnvoy = (origins: FrontOrigins) => startEnvoyFront(origins, { ...issuer, policies: 50 })
  const rows: string[][] = []
  const original = await startOauth2Proxy()
  const ours = await startHelper('proxy', { cpu: serverCpu, argument: directory })
  const proxy = original ?? ours
  const name = original ? 'oauth2-proxy' : 'Gatehouse proxy'
  const asking = (server: BenchServer) => ({
    origins: { check: server.origin, application: application.origin },
    proxy: server,
    headers,
  })
  rows.push(await peerRow(`nginx auth_request + ${name}`, { start: startNginx, ...asking(proxy) }))
  rows.push(await peerRow(`Caddy forward_auth + ${name}`, { start: startCaddy, ...asking(proxy) }))
  const filters = 'Envoy ext_authz, jwt_authn, 50 policies'
  if (original) rows.push(await peerRow(`${filters} + oauth2-proxy`, { start: startEnvoy, ...asking(original) }))
  rows.push(await peerRow(`${filters} + Gatehouse proxy`, { start: startEnvoy, ...asking(ours) }))
  await original?.stop()
  await ours.stop()
  return rows
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
