/** Fields of a log line: data beside its constant message. Never a secret, token, password or raw cookie. */
export type LogFields = Readonly<Record<string, unknown>>

/** Where events are told. `info`: an operator acts on it or audits it; `debug`: everything else. */
export interface Log {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  /** The same log with these fields on every line. */
  with(fields: LogFields): Log
}

const levels = { debug: 10, info: 20, warn: 30, error: 40 } as const
export type LogLevel = keyof typeof levels

/** One JSON line per event (`time`, `level`, `message`, fields), handed to `write` without a line end. */
export function openLog({
  level,
  write,
  now,
  fields = {},
}: {
  level: LogLevel
  write: (line: string) => void
  now: () => number
  fields?: LogFields
}): Log {
  const at = (lineLevel: LogLevel) => (message: string, more?: LogFields) => {
    if (levels[lineLevel] < levels[level]) return
    const time = new Date(now()).toISOString()
    write(JSON.stringify({ time, level: lineLevel, message, ...fields, ...more }, describeErrors))
  }
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    with: (more) => openLog({ level, write, now, fields: { ...fields, ...more } }),
  }
}

/** A log that tells nobody; for tests and for callers that bring none. */
export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  with: () => silentLog,
}

function describeErrors(_key: string, value: unknown): unknown {
  if (!(value instanceof Error)) return value
  const { code, detail } = value as { code?: unknown; detail?: unknown }
  return { name: value.name, message: value.message, code, detail, cause: value.cause, stack: value.stack }
}
