import { readFileSync } from 'node:fs'
import process from 'node:process'
import type { Command } from './command.ts'

/** `gatehouse version` */
export const version: Command = {
  usage: '',
  summary: 'print the versions of Gatehouse and Node',
  options: {},
  async run() {
    process.stdout.write(`gatehouse ${productVersion()} (Node ${process.versions.node})\n`)
    return 0
  },
}

/** The version in package.json. */
export function productVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  return String((manifest as { version: unknown }).version)
}
