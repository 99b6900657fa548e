#!/usr/bin/env node
// Plain JavaScript, so that the compile cache is on before the first TypeScript is met: from the second start on nothing
// is stripped, and the stripper (16 MiB) is not even loaded. An older Node reads as far as the line that tells it so.
import module from 'node:module'
import process from 'node:process'

const found = process.versions.node
if (Number.parseInt(found, 10) < 24) {
  process.stderr.write(
    `gatehouse needs Node 24 or newer, this is ${found}; \`npm ci\` brings one for \`npm start\` and \`npm run gatehouse\`\n`,
  )
  process.exit(1)
}

module.enableCompileCache()

const { runCli } = await import('./cli/index.ts')
process.exitCode = await runCli(process.argv.slice(2))
