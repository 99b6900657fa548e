import { GenerationCache } from '../kit/cache.ts'
import type { Log, LogFields } from '../kit/log.ts'

/** What the log said of each of the last requests, whatever its level: the operator's words for why one was refused. */
export interface RequestLines {
  /** The same log, listened to. */
  overhear(log: Log): Log
  /** The lines about a request as one text; empty where there is none. */
  about(requestId: string): string
}

const requests = 500
const longestText = 1000

/** Opens a memory of log lines that name a `requestId`. A log never holds a secret, so neither does this. */
export function openRequestLines(): RequestLines {
  const said = new GenerationCache<string>(requests)

  function hear(message: string, fields: LogFields): void {
    const { requestId } = fields
    if (typeof requestId !== 'string') return
    const before = said.get(requestId)
    const text = textOf(message, fields)
    said.set(requestId, (before === undefined ? text : `${before}; ${text}`).slice(0, longestText))
  }

  function overhear(log: Log, known: LogFields = {}): Log {
    const at = (level: 'debug' | 'info' | 'warn' | 'error') => (message: string, fields?: LogFields) => {
      hear(message, { ...known, ...fields })
      log[level](message, fields)
    }
    return {
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      with: (fields) => overhear(log.with(fields), { ...known, ...fields }),
    }
  }

  return { overhear: (log) => overhear(log), about: (requestId) => said.get(requestId) ?? '' }
}

/** Fields that say why, in the order they read best. */
const telling = ['connector', 'client', 'error', 'reason', 'message', 'detail', 'cause']

function textOf(message: string, fields: LogFields): string {
  const told = telling.flatMap((name) => {
    const value = fields[name]
    const text = value instanceof Error ? value.message : value
    return typeof text === 'string' && text !== '' ? [text] : []
  })
  return [message, ...new Set(told)].join(': ')
}
