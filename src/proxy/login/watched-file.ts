import { readFileSync, statSync } from 'node:fs'
import { GatehouseError } from '../../kit/errors.ts'
import type { Log } from '../../kit/log.ts'

/** A file whose content is always the latest. */
export interface WatchedFile<Value> {
  /** What the file says now; looked at once a second at most. */
  current(): Value
}

const lookEvery = 1000

/**
 * Opens a file that may change while it is used. It is looked at when it is needed, so there is nothing to close, and
 * by its path, so a ConfigMap's swapped symbolic link is a change like any other. A new content that cannot be parsed
 * is told in the log, and the old one stays.
 * @throws GatehouseError `config` where the file cannot be read at the start, and what `parse` throws.
 */
export function openWatchedFile<Value>(
  path: string,
  {
    parse,
    onChange = () => {},
    clock,
    log,
  }: { parse: (text: string) => Value; onChange?: () => void; clock: { now(): number }; log: Log },
): WatchedFile<Value> {
  let seen = identityOf(path)
  let value = parse(textOf(path))
  let lookedAt = clock.now()

  function look(): void {
    try {
      const identity = identityOf(path)
      if (identity === seen) return
      seen = identity
      value = parse(textOf(path))
      log.info('file read again', { path })
      onChange()
    } catch (cause) {
      log.error('file not read again: what it said before still counts', { path, cause })
    }
  }

  return {
    current() {
      const now = clock.now()
      if (now - lookedAt >= lookEvery || now < lookedAt) {
        lookedAt = now
        look()
      }
      return value
    },
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new GatehouseError('config', `\`${path}\` cannot be read`, { cause })
  }
}

/** What changes when the file does: its number, size and time. `undefined` where there is none. */
function identityOf(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false })
  return found && `${found.dev}:${found.ino}:${found.size}:${found.mtimeMs}`
}
