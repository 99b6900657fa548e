import { readFileSync } from 'node:fs'
import process from 'node:process'
import { planAuthservice } from '../app/authservice/plan-authservice.ts'
import { startAuthservice } from '../app/authservice/start-authservice.ts'
import { settleMemory } from '../app/settle-memory.ts'
import { systemClock } from '../kit/clock.ts'
import { openLog } from '../kit/log.ts'
import type { Command } from './command.ts'
import { stopSignal } from './stop-signal.ts'

/** `gatehouse authservice`: everything it needs to know is in oidc-authservice's variables. */
export const authservice: Command = {
  usage: '',
  summary: 'run in place of oidc-authservice or oidc-gatekeeper, with its variables',
  options: {},
  details: 'It takes no options: its variables are those of oidc-authservice (docs/AUTHSERVICE.md lists them).',
  async run() {
    const plan = planAuthservice({ variables: process.env, readFile: (path) => readFileSync(path, 'utf8') })
    const log = openLog({
      level: plan.logLevel,
      now: () => systemClock.now(),
      write: (line) => process.stderr.write(`${line}\n`),
    })
    const running = await startAuthservice(plan, { log })
    settleMemory()
    await stopSignal()
    await running.close()
    return 0
  },
}
