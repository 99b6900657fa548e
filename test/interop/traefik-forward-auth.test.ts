import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { workDirectory } from '../world/programs.ts'
import { recipe } from '../world/recipe.ts'
import { frontSuite } from './front-suite.ts'
import type { Front } from './front-world.ts'
import { describeWith, startProgram } from './programs.ts'

describeWith({ name: 'traefik', from: 'Traefik 3 from its releases' }, (traefik) => {
  const front: Front = {
    async start({ port, gatehouse, application }) {
      const file = join(workDirectory('traefik'), 'traefik.yaml')
      writeFileSync(file, recipe('traefik.yaml', { '127.0.0.1:4180': gatehouse, '127.0.0.1:3000': application }))
      const args = [`--entryPoints.web.address=127.0.0.1:${port}`, `--providers.file.filename=${file}`]
      const running = await startProgram(traefik, args, { port })
      await routed(port)
      return running
    },
  }
  frontSuite(front, { hidesCookie: false })
})

/** It listens before it has read its routes. */
async function routed(port: number): Promise<void> {
  for (let look = 0; look < 200; look += 1) {
    const { status } = await fetch(`http://127.0.0.1:${port}/oauth2/ready`)
    if (status !== 404) return
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
}
