#!/usr/bin/env node
import { enableCompileCache } from 'node:module'
import process from 'node:process'

// Compiled modules are kept between runs: the second start reads and strips no TypeScript.
enableCompileCache()

const { runCli } = await import('./cli/index.ts')
process.exitCode = await runCli(process.argv.slice(2))
