#!/usr/bin/env node
// Plain JavaScript, so that the compile cache is on before the first TypeScript is met: from the second start on nothing
// is stripped, and the stripper (16 MiB) is not even loaded.
import { enableCompileCache } from 'node:module'
import process from 'node:process'

enableCompileCache()

const { runCli } = await import('./cli/index.ts')
process.exitCode = await runCli(process.argv.slice(2))
