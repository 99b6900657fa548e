import { startHelper } from '../helpers.ts'
import { canLoad, type LoadResult, loadCpu, runLoad, serverCpu } from '../load.ts'
import { startOauth2Proxy } from '../peers.ts'
import { benchPlatform, startChain } from '../platform.ts'
import { milliseconds, printTable, thousands } from '../table.ts'

/** What the authorization check costs for a visitor with a session the program has seen before. */
export async function benchCheck(): Promise<void> {
  if (!canLoad) {
    console.log('\nCheck: skipped, no `wrk` on the PATH (install the Debian package wrk)')
    return
  }
  const application = await startHelper('application', { cpu: loadCpu })
  const directory = benchPlatform({ applicationPort: Number(new URL(application.origin).port) })
  const chain = await startChain(directory)
  const { cookie, origin, pid } = chain
  const throughGateway = runLoad({ url: `${origin}/oauth2/auth`, headers: { cookie }, pids: [pid] })
  await chain.stop()
  await application.stop()

  const proxy = await startHelper('proxy', { cpu: serverCpu, argument: directory })
  const pids = [proxy.pid]
  const extAuthz = runLoad({ url: `${proxy.origin}/app/`, headers: { cookie }, pids })
  const authRequest = runLoad({ url: `${proxy.origin}/oauth2/auth`, headers: { cookie }, pids })
  await proxy.stop()

  const peer = await startOauth2Proxy()
  const theirs = peer && runLoad({ url: `${peer.origin}/oauth2/auth`, headers: { cookie }, pids: [peer.pid] })
  await peer?.stop()

  printTable(
    'Check: warm cookie session (goal: ≥ 30 k requests per CPU-second)',
    ['way', 'per CPU-second', 'p50', 'p99'],
    [
      row('Gatehouse proxy, ext_authz at the original path', extAuthz),
      row('Gatehouse proxy, /oauth2/auth', authRequest),
      row('Gatehouse, /oauth2/auth through the gateway', throughGateway),
      theirs ? row('oauth2-proxy, /oauth2/auth, same cookie', theirs) : ['oauth2-proxy', 'not on the PATH', '', ''],
    ],
  )
}

function row(way: string, { perCpuSecond, p50Milliseconds, p99Milliseconds }: LoadResult): string[] {
  return [way, thousands(perCpuSecond), milliseconds(p50Milliseconds), milliseconds(p99Milliseconds)]
}
