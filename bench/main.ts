import { availableParallelism } from 'node:os'
import process from 'node:process'
import { runHelper } from './helpers.ts'
import { benchCode } from './topics/code.ts'
import { benchEndurance } from './topics/endurance.ts'
import { benchGateway } from './topics/gateway.ts'
import { benchProxy } from './topics/proxy.ts'
import { benchRedis } from './topics/redis.ts'
import { benchStartup } from './topics/startup.ts'

/**
 * `npm run bench [startup|proxy|redis|gateway|code|all]` or `endurance [--minutes 10]`: what this machine shows, beside the goals and, where they are
 * installed, beside the programs that do the same job. Servers run on one processor and load on another; figures are
 * per second of the servers' CPU time, which a busy machine changes least.
 */
const topics: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = {
  startup: benchStartup,
  proxy: benchProxy,
  redis: benchRedis,
  gateway: benchGateway,
  code: benchCode,
  endurance: benchEndurance,
}
/** Those that take so long that nobody means them by `all`. */
const onlyByName = ['endurance']

const [topic = 'all', ...rest] = process.argv.slice(2)
if (topic === 'helper') await runHelper(rest)
else await bench(topic === 'all' ? Object.keys(topics).filter((name) => !onlyByName.includes(name)) : [topic])

async function bench(names: readonly string[]): Promise<void> {
  const unknown = names.find((name) => !Object.hasOwn(topics, name))
  if (unknown !== undefined) {
    console.error(`unknown topic \`${unknown}\` (known: ${Object.keys(topics).join(', ')}, all)`)
    process.exitCode = 2
    return
  }
  console.log(`Node ${process.version}, ${availableParallelism()} processors`)
  for (const name of names) await topics[name]?.(rest)
}
