import { freePort } from '../../test/world/programs.ts'
import { canLoadGrpc, runGrpcLoad } from '../grpc-load.ts'
import { type BenchServer, startHelper } from '../helpers.ts'
import { canLoad, type Load, type LoadResult, loadCpu, runLoad, serverCpu } from '../load.ts'
import { startInItsPlace, startOauth2Proxy } from '../peers.ts'
import { benchPlatform, cookieName, cookieSecret, startChain } from '../platform.ts'
import { residentMebibytes } from '../process.ts'
import { clientId, issuer, sessionCookies, signedTokens } from '../sessions.ts'
import { milliseconds, printTable, thousands } from '../table.ts'

/**
 * People signed in, each with a session or token of their own. The checker's clock is so fast that whoever comes round
 * again is a stranger.
 */
export const people = 12_000

/** One line of the table: the same requests to both programs. */
export interface Job {
  readonly way: string
  /** What requests carry. */
  readonly sent: Pick<Load, 'headers' | 'inTurn'>
}

/** A program under measurement. */
export interface Contender {
  readonly server: BenchServer
  /** Resident memory before the first request, MiB. */
  readonly restingMebibytes: number
}

/** What the authorization check costs, beside the real oauth2-proxy with the very same cookies and tokens. */
export async function benchProxy(): Promise<void> {
  if (!canLoad) {
    console.log('\nProxy: skipped, no `wrk` on the PATH (install the Debian package wrk)')
    return
  }
  const { keySet, authorizations } = await signedTokens(people)
  const keys = await startHelper('keys', { cpu: loadCpu, argument: keySet })
  const jobs = [
    ...cookieJobs('1.5 kB', sessionCookies(people, 1500)),
    ...cookieJobs('8 kB', sessionCookies(people, 8000)),
    { way: 'RS256 bearer, warm', sent: { headers: { authorization: authorizations[0] ?? '' } } },
    { way: 'RS256 bearer, cold', sent: { inTurn: { name: 'authorization', values: authorizations } } },
  ]
  const grpcPort = await freePort()
  const ours = contender(await startChecker(keys.origin, { grpc_address: `127.0.0.1:${grpcPort}` }))
  const original = await startOauth2Proxy([
    `--oidc-jwks-url=${keys.origin}/`,
    '--skip-jwt-bearer-tokens=true',
    '--api-route=^/',
  ])
  const theirs = original && contender(original)
  printTable(
    'Proxy: one authorization check (goals: warm ≥ 40 k per CPU-second and ≥ 3 ×, cold not behind)',
    ['at /oauth2/auth', 'Gatehouse', 'oauth2-proxy', 'factor', 'p50', 'p99', 'their p50', 'their p99'],
    jobs.map((job) => row(job.way, measure(job, ours), theirs && measure(job, theirs))),
  )
  printTable(
    'Proxy: resident memory after that',
    ['program', 'at rest', `with ${thousands(people)} sessions of each kind seen`],
    [memoryRow('Gatehouse', ours), ...(theirs ? [memoryRow('oauth2-proxy', theirs)] : [])],
  )
  await benchWays(ours.server, jobs[0]?.sent ?? {})
  await benchGrpc(ours.server, grpcPort, jobs[0]?.sent.headers ?? {})
  await ours.server.stop()
  await theirs?.server.stop()
  await keys.stop()
  await benchForwarding(jobs[0]?.sent ?? {})
}

/** The same visitor's requests forwarded to an application that answers with 1 kB. */
async function benchForwarding(sent: Job['sent']): Promise<void> {
  const application = await startHelper('application', { cpu: loadCpu })
  const flags = [`--upstream=${application.origin}/app/`]
  const ours = await startInItsPlace(flags)
  const theirs = await startOauth2Proxy(flags)
  const loadOf = ({ origin, pid }: BenchServer) => runLoad({ url: `${origin}/app/`, ...sent, pids: [pid] })
  printTable(
    'Proxy: one request forwarded (goal: not behind)',
    ['to an upstream', 'Gatehouse', 'oauth2-proxy', 'factor', 'p50', 'p99', 'their p50', 'their p99'],
    [row('cookie session 1.5 kB, warm', loadOf(ours), theirs && loadOf(theirs))],
  )
  await Promise.all([ours.stop(), theirs?.stop(), application.stop()])
}

/** A visitor who comes again and again, and as many as there are, one after the other. */
export function cookieJobs(size: string, cookies: readonly string[]): Job[] {
  return [
    { way: `cookie session ${size}, warm`, sent: { headers: { cookie: cookies[0] ?? '' } } },
    { way: `cookie session ${size}, cold`, sent: { inTurn: { name: 'cookie', values: cookies } } },
  ]
}

/** Our proxy alone, configured as `startOauth2Proxy` configures the original. */
export function startChecker(keysOrigin: string, more: Readonly<Record<string, unknown>> = {}): Promise<BenchServer> {
  const options = {
    provider: 'oidc',
    oidc_issuer_url: issuer,
    skip_oidc_discovery: true,
    login_url: `${issuer}/auth`,
    redeem_url: `${issuer}/token`,
    oidc_jwks_url: `${keysOrigin}/`,
    client_id: clientId,
    client_secret: 'bench',
    redirect_url: '/oauth2/callback',
    cookie_name: cookieName,
    cookie_secret: cookieSecret,
    cookie_secure: false,
    cookie_expire: '24h',
    email_domains: ['*'],
    upstreams: ['static://200'],
    set_xauthrequest: true,
    set_authorization_header: true,
    skip_jwt_bearer_tokens: true,
    api_routes: ['^/'],
    ...more,
  }
  return startHelper('checker', { cpu: serverCpu, argument: JSON.stringify(options) })
}

/** Takes its memory before the first request. */
export function contender(server: BenchServer): Contender {
  return { server, restingMebibytes: residentMebibytes(server.pid) }
}

/** Puts one job to one program. */
export function measure({ sent }: Job, { server }: Contender): LoadResult {
  return runLoad({ url: `${server.origin}/oauth2/auth`, ...sent, pids: [server.pid] })
}

/** A line of the table. */
export function row(way: string, ours: LoadResult, theirs: LoadResult | undefined): string[] {
  const own = [milliseconds(ours.p50Milliseconds), milliseconds(ours.p99Milliseconds)]
  if (!theirs) return [way, thousands(ours.perCpuSecond), 'not on the PATH', '', ...own]
  return [
    ...[way, thousands(ours.perCpuSecond), thousands(theirs.perCpuSecond)],
    (ours.perCpuSecond / theirs.perCpuSecond).toFixed(2),
    ...[...own, milliseconds(theirs.p50Milliseconds), milliseconds(theirs.p99Milliseconds)],
  ]
}

/** A line of the table of memory. */
export function memoryRow(name: string, { server, restingMebibytes }: Contender): string[] {
  return [name, `${restingMebibytes.toFixed(0)} MiB`, `${residentMebibytes(server.pid).toFixed(0)} MiB`]
}

/** The same check asked for in our other ways. */
async function benchWays(proxy: BenchServer, sent: Job['sent']): Promise<void> {
  const extAuthz = runLoad({ url: `${proxy.origin}/app/`, ...sent, pids: [proxy.pid] })
  const application = await startHelper('application', { cpu: loadCpu })
  const chain = await startChain(benchPlatform({ applicationPort: Number(new URL(application.origin).port) }))
  const { origin, cookie, pid } = chain
  const throughGateway = runLoad({ url: `${origin}/oauth2/auth`, headers: { cookie }, pids: [pid] })
  await chain.stop()
  await application.stop()
  printTable(
    'Proxy: the warm check in other ways (goal: ≥ 30 k requests per CPU-second)',
    ['way', 'per CPU-second', 'p50', 'p99'],
    [
      wayRow('HTTP ext_authz at the original path', extAuthz),
      wayRow('/oauth2/auth through our gateway', throughGateway),
    ],
  )
}

/** The same check by gRPC, as Envoy asks. */
async function benchGrpc({ pid }: BenchServer, port: number, headers: Readonly<Record<string, string>>): Promise<void> {
  if (!canLoadGrpc) {
    console.log('\nProxy by gRPC: skipped, no `h2load` on the PATH (install the Debian package nghttp2-client)')
    return
  }
  const perCpuSecond = await runGrpcLoad({ port, headers, pids: [pid] })
  printTable(
    'Proxy: the warm check by gRPC (goal: ≥ 14 k per CPU-second)',
    ['way', 'per CPU-second'],
    [['gRPC ext_authz (v3), four connections', thousands(perCpuSecond)]],
  )
}

function wayRow(way: string, { perCpuSecond, p50Milliseconds, p99Milliseconds }: LoadResult): string[] {
  return [way, thousands(perCpuSecond), milliseconds(p50Milliseconds), milliseconds(p99Milliseconds)]
}
