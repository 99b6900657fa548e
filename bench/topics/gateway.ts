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
  const added = addedByLoad(chain, application)
  const addedAtRate = addedLatency(chain, { application, rate: most.perSecond / 2 })
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
  printTable('Gateway: latency with two requests under way all the time', ['way', 'a second', 'p50', 'p99'], added)
  printTable(
    `Gateway: latency at half of what goes at most, medians of ${rounds} rounds (goal: p99 added ≤ 2 ms)`,
    ['way', 'p50', 'p99', 'p99 of each round'],
    addedAtRate,
  )
}

/** How long an answer takes where the next request waits for it: what a stall of the machine spoils is little. */
function addedByLoad({ origin, cookie, pid }: BenchChain, application: BenchServer): string[][] {
  const run = (url: string, pids: readonly number[]) => runLoad({ url, headers: { cookie }, pids, connections: 2 })
  const without = run(`${application.origin}/app/`, [application.pid])
  const through = run(`${origin}/app/`, [pid])
  const cells = ({ perSecond, p50Milliseconds, p99Milliseconds }: LoadResult) => [
    thousands(perSecond),
    milliseconds(p50Milliseconds),
    milliseconds(p99Milliseconds),
  ]
  const p50 = milliseconds(through.p50Milliseconds - without.p50Milliseconds)
  const p99 = milliseconds(through.p99Milliseconds - without.p99Milliseconds)
  return [
    ['the app alone', ...cells(without)],
    ['through Gatehouse', ...cells(through)],
    ['added', '', p50, p99],
  ]
}

/** A machine that stalls for a moment spoils a round, not the median of them. */
const rounds = 9

/** How long an answer takes at a steady rate, through the gateway and without it, in turns. */
function addedLatency(
  { origin, cookie }: BenchChain,
  { application, rate }: { application: BenchServer; rate: number },
): string[][] {
  const headers = { cookie }
  const without: OpenLoadResult[] = []
  const through: OpenLoadResult[] = []
  for (let round = 0; round < rounds; round += 1) {
    without.push(openLoad(`${application.origin}/app/`, { headers, rate }))
    through.push(openLoad(`${origin}/app/`, { headers, rate }))
  }
  const p50 = (results: readonly OpenLoadResult[]) => sortedBy(results, ({ p50Milliseconds }) => p50Milliseconds)
  const p99 = (results: readonly OpenLoadResult[]) => sortedBy(results, ({ p99Milliseconds }) => p99Milliseconds)
  const cells = (results: readonly OpenLoadResult[]) => [
    milliseconds(middle(p50(results))),
    milliseconds(middle(p99(results))),
    p99(results).map(milliseconds).join(', '),
  ]
  return [
    [`the app alone, ${thousands(rate)} requests a second`, ...cells(without)],
    ['through Gatehouse', ...cells(through)],
    [
      'added',
      milliseconds(middle(p50(through)) - middle(p50(without))),
      milliseconds(middle(p99(through)) - middle(p99(without))),
      '',
    ],
  ]
}

function sortedBy<Item>(items: readonly Item[], figure: (item: Item) => number): number[] {
  return items.map(figure).sort((a, b) => a - b)
}

function middle(sorted: readonly number[]): number {
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
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
