import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { workDirectory } from '../world/programs.ts'
import { recipe } from '../world/recipe.ts'
import { frontSuite } from './front-suite.ts'
import type { Front } from './front-world.ts'
import { describeWith, startProgram } from './programs.ts'

const modules = '/usr/lib/apache2/modules'
const apache = { name: 'apache2', from: 'the Debian package apache2', also: `${modules}/mod_proxy_http.so` }
const loaded = ['mpm_event', 'authn_core', 'authz_core', 'headers', 'proxy', 'proxy_http']

describeWith(apache, (program) => {
  const front: Front = {
    isForwardedByGatehouse: true,
    start({ port, gatehouse }) {
      const directory = workDirectory('apache')
      const file = join(directory, 'apache2.conf')
      const lines = [
        ...loaded.map((name) => `LoadModule ${name}_module ${modules}/mod_${name}.so`),
        ...['ServerName 127.0.0.1', `Listen 127.0.0.1:${port}`, 'User #65534', 'Group #65534'],
        `DefaultRuntimeDir ${directory}`,
        `PidFile ${directory}/apache2.pid`,
        `ErrorLog ${directory}/error.log`,
      ]
      writeFileSync(file, `${lines.join('\n')}\n${recipe('apache-proxy.conf', { '127.0.0.1:4180': gatehouse })}`)
      return startProgram(program, ['-d', directory, '-f', file, '-D', 'FOREGROUND'], { port })
    },
  }
  frontSuite(front, { hidesCookie: true })
})
