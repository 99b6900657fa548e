import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { workDirectory } from '../../test/world/programs.ts'
import { chainSessions } from '../chain-sessions.ts'
import { startHelper } from '../helpers.ts'
import { canLoad, keepLoad, loadCpu } from '../load.ts'
import { startNginxApplication } from '../peers.ts'
import { benchPlatform, startChain } from '../platform.ts'
import { cpuSeconds, residentMebibytes } from '../process.ts'
import { printTable, thousands } from '../table.ts'

const people = 10_000
const defaultMinutes = 10
/** What is settled by then stays: caches are full, code is compiled. */
const settledMinute = 2
/** Growth from then on that is noise, of the whole. */
const flatness = 0.1

/** What one minute left behind. */
interface Minute {
  readonly requests: number
  readonly errors: number
  readonly perCpuSecond: number
  readonly residentMebibytes: number
  readonly heapMebibytes: number
}

/** `endurance [--minutes 10]`: the whole chain at full load, with 10,000 sessions; its memory is to stay flat. */
export async function benchEndurance(args: readonly string[]): Promise<void> {
  if (!canLoad) {
    console.log('\nEndurance: skipped, no `wrk` on the PATH (install the Debian package wrk)')
    return
  }
  const minutes = Number(args[args.indexOf('--minutes') + 1] ?? defaultMinutes) || defaultMinutes
  const application = (await startNginxApplication(loadCpu)) ?? (await startHelper('application', { cpu: loadCpu }))
  const applicationPort = Number(new URL(application.origin).port)
  const heapFile = join(workDirectory('bench'), 'heap.json')
  const directory = benchPlatform({ applicationPort, size: { routes: 200, policies: 50 } })
  const chain = await startChain(directory, {
    nodeArguments: ['--import', new URL('../heap-probe.ts', import.meta.url).pathname],
    env: { BENCH_HEAP_FILE: heapFile },
  })
  const cookies = await chainSessions(chain, people)
  console.log(`\nEndurance: ${minutes} minutes at full load, ${thousands(people)} sessions in turn`)
  const seen: Minute[] = []
  for (let minute = 1; minute <= minutes; minute += 1) {
    const inTurn = { name: 'cookie', values: cookies }
    const cpu = cpuSeconds([chain.pid])
    const { requests, errors } = await keepLoad({ url: `${chain.origin}/app/`, inTurn, seconds: 60 })
    const now = {
      requests,
      errors,
      perCpuSecond: requests / (cpuSeconds([chain.pid]) - cpu),
      residentMebibytes: residentMebibytes(chain.pid),
      ...(await heap(chain.pid, heapFile)),
    }
    console.log(`  minute ${minute}: ${describe(now)}`)
    seen.push(now)
  }
  await chain.stop()
  await application.stop()
  printTable(
    'Endurance: memory at full load (goal: flat from minute 2 on)',
    ['minute', 'requests', 'errors', 'per CPU-second', 'RSS', 'heap after GC'],
    seen.map((one, at) => [
      String(at + 1),
      String(one.requests),
      String(one.errors),
      thousands(one.perCpuSecond),
      ...memory(one),
    ]),
  )
  console.log(`  ${verdict(seen)}`)
}

/** What is in use when all garbage is gone. */
async function heap(pid: number, file: string): Promise<Pick<Minute, 'heapMebibytes'>> {
  rmSync(file, { force: true })
  process.kill(pid, 'SIGUSR2')
  for (let tries = 0; tries < 100; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 100))
    try {
      const { heapUsed, external }: { heapUsed: number; external: number } = JSON.parse(readFileSync(file, 'utf8'))
      return { heapMebibytes: (heapUsed + external) / 1024 / 1024 }
    } catch {
      // not written yet
    }
  }
  throw new Error('the server under load did not tell its heap')
}

function memory({ residentMebibytes: rss, heapMebibytes }: Minute): string[] {
  return [`${rss.toFixed(0)} MiB`, `${heapMebibytes.toFixed(1)} MiB`]
}

function describe(minute: Minute): string {
  const [rss, used] = memory(minute)
  return `${minute.requests} requests (${thousands(minute.perCpuSecond)} per CPU-second), ${minute.errors} errors, RSS ${rss}, heap ${used} after GC`
}

function verdict(seen: readonly Minute[]): string {
  const settled = seen.slice(0, settledMinute).toSorted((a, b) => b.residentMebibytes - a.residentMebibytes)[0]
  const last = seen.at(-1)
  const errors = seen.reduce((sum, minute) => sum + minute.errors, 0)
  if (!settled || !last || seen.length <= settledMinute) return 'too short a run to tell whether memory is flat'
  const grown = (from: number, to: number) => `${((100 * (to - from)) / from).toFixed(1)} %`
  const isFlat =
    last.heapMebibytes <= settled.heapMebibytes * (1 + flatness) &&
    last.residentMebibytes <= settled.residentMebibytes * (1 + flatness)
  const growth = `heap ${grown(settled.heapMebibytes, last.heapMebibytes)}, RSS ${grown(settled.residentMebibytes, last.residentMebibytes)}`
  return `memory is ${isFlat ? 'flat' : 'NOT flat'} from minute ${settledMinute} to ${seen.length}: ${growth}; ${errors} errors`
}
