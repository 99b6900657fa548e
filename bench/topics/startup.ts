import { freePort, workDirectory } from '../../test/world/programs.ts'
import { upCommand } from '../platform.ts'
import { cpuSeconds, residentMebibytes, startProcess } from '../process.ts'
import { milliseconds, printTable } from '../table.ts'

const idleMilliseconds = 3000

/** How soon `gatehouse up` answers, the first time and later, and what it weighs when nobody asks. */
export async function benchStartup(): Promise<void> {
  const data = workDirectory('bench')
  const cold = await measureStart(data)
  const warm = await measureStart(data)
  printTable(
    'Startup: process start to the first 200 (goal: ≤ 1000 ms), idle after 3 s (goal: ≤ 150 MiB)',
    ['data directory', 'ready', 'CPU until ready', 'idle RSS'],
    [
      ['new', ...cold],
      ['of an earlier run', ...warm],
    ],
  )
}

async function measureStart(data: string): Promise<string[]> {
  const port = await freePort()
  const readyUrl = `http://localhost:${port}/dex/healthz`
  const running = await startProcess(upCommand({ port, data }), { readyUrl })
  const cpu = cpuSeconds([running.pid])
  await new Promise((resolve) => setTimeout(resolve, idleMilliseconds))
  const resident = residentMebibytes(running.pid)
  await running.stop()
  return [milliseconds(running.readyAfterMilliseconds), milliseconds(cpu * 1000), `${resident.toFixed(0)} MiB`]
}
