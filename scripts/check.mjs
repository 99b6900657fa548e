import { spawn } from 'node:child_process'

/** `npm run check`: types, format and lint, dead code, room rules. Runs all four and tells every failure. */
const checks = {
  types: ['tsc', ['--pretty', 'false']],
  'format and lint': ['biome', ['check', '.']],
  'dead code': ['knip', ['--no-progress']],
  rooms: ['depcruise', ['src', '--config', '.dependency-cruiser.mjs', '--output-type', 'err']],
}

const outcomes = await Promise.all(Object.entries(checks).map(([name, [command, args]]) => run(name, command, args)))
for (const { name, code, output } of outcomes) {
  if (code !== 0) process.stdout.write(`\n${name}:\n${output}\n`)
  process.stdout.write(`${code === 0 ? '✓' : '✗'} ${name}\n`)
}
process.exitCode = outcomes.every(({ code }) => code === 0) ? 0 : 1

function run(name, command, args) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    child.stdout.on('data', (chunk) => {
      output += chunk
    })
    child.stderr.on('data', (chunk) => {
      output += chunk
    })
    child.on('error', (error) => resolve({ name, code: 1, output: String(error) }))
    child.on('close', (code) => resolve({ name, code, output }))
  })
}
