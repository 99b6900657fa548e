import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { workDirectory } from '../world/programs.ts'
import { recipe } from '../world/recipe.ts'
import { frontSuite } from './front-suite.ts'
import type { Front } from './front-world.ts'
import { describeWith, startProgram } from './programs.ts'

describeWith({ name: 'traefik', from: 'Traefik 3 from its releases' }, (traefik) => {
  const front: Front = {
    start({ port, gatehouse, application }) {
      const file = join(workDirectory('traefik'), 'traefik.yaml')
      writeFileSync(file, recipe('traefik.yaml', { '127.0.0.1:4180': gatehouse, '127.0.0.1:3000': application }))
      const args = [`--entryPoints.web.address=127.0.0.1:${port}`, `--providers.file.filename=${file}`]
      return startProgram(traefik, args, { port })
    },
  }
  frontSuite(front, { hidesCookie: false })
})
