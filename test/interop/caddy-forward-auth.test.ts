import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { workDirectory } from '../world/programs.ts'
import { recipe } from '../world/recipe.ts'
import { questionsTest } from './front-questions.ts'
import { frontSuite } from './front-suite.ts'
import type { Front } from './front-world.ts'
import { describeWith, startProgram } from './programs.ts'

const globalOptions = '{\n\tadmin off\n\tauto_https off\n\tlog {\n\t\tlevel ERROR\n\t}\n}\n'

describeWith({ name: 'caddy', from: 'the Debian package caddy' }, (caddy) => {
  const front: Front = {
    start({ port, gatehouse, application }) {
      const directory = workDirectory('caddy')
      const file = join(directory, 'Caddyfile')
      const site = recipe('Caddyfile', {
        'http://apps.example.com': `http://127.0.0.1:${port}`,
        '127.0.0.1:4180': gatehouse,
        '127.0.0.1:3000': application,
      })
      writeFileSync(file, globalOptions + site)
      return startProgram(caddy, ['run', '--config', file, '--adapter', 'caddyfile'], {
        port,
        env: { XDG_DATA_HOME: directory, XDG_CONFIG_HOME: directory, HOME: directory },
      })
    },
  }
  frontSuite(front, { hidesCookie: true })
  questionsTest('caddy', front)
})
