import process from 'node:process'
import { styleText } from 'node:util'

/** Styles text for a terminal; plain when the output is piped or NO_COLOR is set. */
export const style = {
  bold: (text: string) => styled('bold', text),
  dim: (text: string) => styled('dim', text),
  link: (text: string) => styled('cyan', text),
  good: (text: string) => styled('green', text),
  warning: (text: string) => styled('yellow', text),
  problem: (text: string) => styled('red', text),
}

function styled(format: Parameters<typeof styleText>[0], text: string): string {
  return styleText(format, text, { stream: process.stdout })
}

/** Prints lines to the standard output. */
export function print(...lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`)
}

// Where nobody reads on (`| head`), what runs goes on without telling.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})
