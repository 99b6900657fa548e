import { execFileSync } from 'node:child_process'
import { redisServer, startRedis } from '../../test/world/redis.ts'
import { canLoad, loadCpu } from '../load.ts'
import { startOauth2Proxy } from '../peers.ts'
import { ticketCookies } from '../sessions.ts'
import { printTable, thousands } from '../table.ts'
import { contender, cookieJobs, measure, memoryRow, people, row, startChecker } from './proxy.ts'

/** What the check costs where sessions are in Redis, beside the real oauth2-proxy on the same Redis with the same tickets. */
export async function benchRedis(): Promise<void> {
  if (!canLoad || redisServer === undefined) {
    console.log(`\nRedis: skipped, no \`${canLoad ? 'redis-server' : 'wrk'}\` on the PATH`)
    return
  }
  const redis = await startRedis()
  execFileSync('taskset', ['-apc', String(loadCpu), String(redis.pid)])
  const { url } = redis
  const cookies = await ticketCookies(people, 1500, url)
  const settings = { session_store_type: 'redis', redis_connection_url: url }
  const ours = contender(await startChecker('http://127.0.0.1:9', settings))
  const flags = ['--session-store-type=redis', `--redis-connection-url=${url}`, '--api-route=^/']
  const original = await startOauth2Proxy(flags)
  const theirs = original && contender(original)
  printTable(
    'Proxy: one authorization check, sessions in Redis',
    ['at /oauth2/auth', 'Gatehouse', 'oauth2-proxy', 'factor', 'p50', 'p99', 'their p50', 'their p99'],
    cookieJobs('1.5 kB in Redis', cookies).map((job) =>
      row(job.way, measure(job, ours), theirs && measure(job, theirs)),
    ),
  )
  printTable(
    'Proxy: resident memory after that',
    ['program', 'at rest', `with ${thousands(people)} sessions in Redis seen`],
    [memoryRow('Gatehouse', ours), ...(theirs ? [memoryRow('oauth2-proxy', theirs)] : [])],
  )
  await ours.server.stop()
  await theirs?.server.stop()
  await redis.stop()
}
