import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { workDirectory } from '../world/programs.ts'
import { recipe } from '../world/recipe.ts'
import { questionsTest } from './front-questions.ts'
import { frontSuite } from './front-suite.ts'
import type { Front } from './front-world.ts'
import { describeWith, startProgram } from './programs.ts'

const script = fileURLToPath(new URL('../../docs/deploy/haproxy/gatehouse.lua', import.meta.url))

describeWith({ name: 'haproxy', from: 'the Debian package haproxy' }, (haproxy) => {
  const front: Front = {
    start({ port, gatehouse, application }) {
      const file = join(workDirectory('haproxy'), 'haproxy.cfg')
      const text = recipe('haproxy.cfg', {
        'bind :80': `bind 127.0.0.1:${port}`,
        '127.0.0.1:4180': gatehouse,
        '127.0.0.1:3000': application,
        '/etc/haproxy/gatehouse.lua': script,
      })
      writeFileSync(file, text)
      return startProgram(haproxy, ['-db', '-f', file], { port })
    },
  }
  frontSuite(front, { hidesCookie: true })
  questionsTest('haproxy', front)
})
