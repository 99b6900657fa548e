import process from 'node:process'
import type { ProxyConfig } from '../../proxy/config.ts'
import { openLineWriter } from './line-writer.ts'
import { openRotatingFile } from './rotating-file.ts'

/** Where log lines go. */
export interface Output {
  write(line: string): void
  writeError(line: string): void
  /** Writes what is waiting. */
  close(): void
}

/** `logging_filename` or the standard output; problems go to the standard error. @throws where the file cannot be had. */
export function openOutput(config: ProxyConfig, now: () => number): Output {
  const file = config.logging_filename === '' ? undefined : openRotatingFile(config, now)
  let isClosed = false // what is asked of a provider may fail after the end
  const lines = openLineWriter((text) => {
    if (!file) process.stdout.write(text)
    else if (!isClosed) file.write(text)
  })
  const errors = openLineWriter((text) => process.stderr.write(text))
  return {
    write: lines.write,
    writeError: errors.write,
    close() {
      lines.flush()
      errors.flush()
      isClosed = true
      file?.close()
    },
  }
}
