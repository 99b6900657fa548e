import { systemClock } from '../../src/kit/clock.ts'
import { silentLog } from '../../src/kit/log.ts'
import { Problems } from '../../src/kit/problems.ts'
import { systemRandom } from '../../src/kit/random.ts'
import { openProxy } from '../../src/proxy/open-proxy.ts'
import { parseProxyOptions } from '../../src/proxy/options.ts'
import { openSqlRecords } from '../../src/store/records.ts'
import { testDatabase } from '../world/database.ts'

/** Our proxy under oauth2-proxy's flags, asked by path. */
export async function openOAuth2Proxy(
  flags: readonly string[],
): Promise<(path: string, init?: RequestInit) => Promise<Response>> {
  const problems = new Problems()
  const config = parseProxyOptions({ flags, problems })
  if (!config) throw new Error(problems.list.map(({ message }) => message).join('\n'))
  const proxy = openProxy({
    config,
    records: openSqlRecords(await testDatabase(), systemClock),
    ...{ clock: systemClock, random: systemRandom, log: silentLog },
    fetch: (input, init) => fetch(input, init),
  })
  const context = { requestId: 'r1', clientAddress: '127.0.0.1' }
  return async (path, init) => proxy.fetch(new Request(`http://app.example${path}`, init), context)
}
