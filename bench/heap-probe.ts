import { writeFileSync } from 'node:fs'
import process from 'node:process'
import v8 from 'node:v8'
import vm from 'node:vm'

/** Loaded before a server under measurement (`--import`): on SIGUSR2 it collects garbage and tells what is left. */
const file = process.env['BENCH_HEAP_FILE']

process.on('SIGUSR2', () => {
  v8.setFlagsFromString('--expose-gc')
  const collect: unknown = vm.runInNewContext('gc')
  if (typeof collect !== 'function' || file === undefined) return
  collect()
  writeFileSync(file, JSON.stringify(process.memoryUsage()))
})
