import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { workDirectory } from '../world/programs.ts'
import { recipe } from '../world/recipe.ts'
import { questionsTest } from './front-questions.ts'
import { frontSuite } from './front-suite.ts'
import type { Front, FrontAddresses } from './front-world.ts'
import { describeWith, startProgram } from './programs.ts'

describeWith({ name: 'nginx', from: 'the Debian package nginx-light' }, (nginx) => {
  const front: Front = {
    start(addresses) {
      const directory = workDirectory('nginx')
      mkdirSync(join(directory, 'temp'))
      const file = join(directory, 'nginx.conf')
      writeFileSync(file, configuration(directory, addresses))
      return startProgram(nginx, ['-p', directory, '-c', file], { port: addresses.port })
    },
  }
  frontSuite(front, { hidesCookie: true })
  questionsTest('nginx', front)
})

/** The recipe within what Debian's own nginx.conf has around it. */
function configuration(directory: string, { port, gatehouse, application }: FrontAddresses): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${directory}/temp/${name};`,
  )
  const sites = recipe('nginx.conf', {
    'listen 80;': `listen 127.0.0.1:${port};`,
    '127.0.0.1:4180': gatehouse,
    '127.0.0.1:3000': application,
  })
  return `
daemon off;
worker_processes 1;
pid ${directory}/nginx.pid;
error_log stderr warn;
events { worker_connections 256; }
http {
  access_log off;
  ${temporary.join('\n  ')}
  ${sites}
}
`
}
