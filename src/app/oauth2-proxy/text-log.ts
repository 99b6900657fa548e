import type { Log, LogFields } from '../../kit/log.ts'
import type { ProxyConfig } from '../../proxy/config.ts'
import { goQuote } from './go-quote.ts'
import { compileTimestamp } from './go-timestamp.ts'
import type { LogFormats } from './log-formats.ts'

/** A request as log lines tell it. */
export interface LoggedRequest {
  readonly client: string
  readonly host: string
  readonly method: string
  readonly path: string
  /** `HTTP/1.1` */
  readonly protocol: string
  readonly requestId: string
  readonly userAgent: string
  /** Milliseconds since the epoch. */
  readonly startedAt: number
}

/** How a request was answered. */
export interface LoggedAnswer {
  readonly status: number
  /** Bytes of the body. */
  readonly size: number
  readonly user: string
  readonly upstream: string
  readonly seconds: number
}

/** oauth2-proxy's text lines: what the program says, who signed in, every request. */
export interface TextLog {
  /** What the program says; sign-ins among it become lines of their own kind. */
  readonly log: Log
  request(request: LoggedRequest, answer: LoggedAnswer): void
  /** Tells which request a request id stands for, as long as it is being answered. */
  begin(request: LoggedRequest): void
  end(request: LoggedRequest): void
}

/** Messages of the proxy which the original writes as lines about authentication, with its status. */
const authEvents: ReadonlyMap<string, string> = new Map([
  ['signed in', 'AuthSuccess'],
  ['sign-in denied', 'AuthFailure'],
  ['session denied', 'AuthFailure'],
  ['sign-in failed', 'AuthFailure'],
  ['sign-in restarted', 'AuthFailure'],
  ['basic credentials refused', 'AuthFailure'],
])

/** Opens the log of a configuration. `write` and `writeError` take lines without their end. */
export function openTextLog({
  config,
  formats,
  now,
  write,
  writeError,
}: {
  config: ProxyConfig
  formats: LogFormats
  now: () => number
  write: (line: string) => void
  writeError: (line: string) => void
}): TextLog {
  const timestamp = compileTimestamp({ isLocal: config.logging_local_time })
  const excluded = new Set(config.exclude_logging_paths)
  const running = new Map<string, LoggedRequest>()

  function standard(message: string, fields: LogFields, writeLine: (line: string) => void): void {
    if (!config.standard_logging) return
    const part = typeof fields['part'] === 'string' ? fields['part'] : 'proxy'
    writeLine(formats.standard({ Timestamp: timestamp(now()), File: part, Message: message + fieldsText(fields) }))
  }

  function auth(message: string, fields: LogFields): boolean {
    const status = authEvents.get(message)
    if (status === undefined) return false
    if (!config.auth_logging) return true
    const request = running.get(String(fields['requestId'])) ?? unknownRequest(String(fields['requestId'] ?? '-'))
    const line = formats.auth({
      ...commonFields(request),
      Timestamp: timestamp(now()),
      Username: oneLine(String(fields['email'] ?? fields['user'] ?? '')) || '-',
      Status: status,
      Message: message + fieldsText({ ...fields, requestId: undefined, email: undefined, user: undefined }),
    })
    write(line)
    return true
  }

  function logWith(fields: LogFields): Log {
    const writeProblem = config.errors_to_info_log ? write : writeError
    const all = (more: LogFields | undefined) => ({ ...fields, ...more })
    const tell = (message: string, more: LogFields | undefined, prefix: string, writeLine: (line: string) => void) =>
      auth(message, all(more)) || standard(prefix + message, all(more), writeLine)
    return {
      debug() {},
      info: (message, more) => void tell(message, more, '', write),
      warn: (message, more) => void tell(message, more, 'WARNING: ', write),
      error: (message, more) => void tell(message, more, 'ERROR: ', writeProblem),
      with: (more) => logWith(all(more)),
    }
  }

  return {
    log: logWith({}),
    begin: (request) => void running.set(request.requestId, request),
    end: (request) => void running.delete(request.requestId),
    request(request, answer) {
      if (!config.request_logging || excluded.has(pathOf(request.path))) return
      write(
        formats.request({
          ...commonFields(request),
          Timestamp: timestamp(request.startedAt),
          Username: oneLine(answer.user) || '-',
          RequestURI: goQuote(request.path),
          StatusCode: String(answer.status),
          ResponseSize: String(answer.size),
          RequestDuration: answer.seconds.toFixed(3),
          Upstream: answer.upstream || '-',
        }),
      )
    },
  }
}

function commonFields(request: LoggedRequest) {
  return {
    Client: request.client,
    Host: oneLine(request.host),
    Protocol: request.protocol,
    RequestID: oneLine(request.requestId),
    RequestMethod: request.method,
    UserAgent: goQuote(request.userAgent),
  }
}

function unknownRequest(requestId: string): LoggedRequest {
  const unknown = { client: '-', host: '-', method: '-', path: '-', protocol: '-', userAgent: '-' }
  return { ...unknown, requestId, startedAt: 0 }
}

function pathOf(path: string): string {
  const mark = path.indexOf('?')
  return mark < 0 ? path : path.slice(0, mark)
}

/** Header values have no line ends, but a terminal's escape sequences may be in them. */
function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out
  return /[\x00-\x1f\x7f]/.test(text) ? text.replace(/[\x00-\x1f\x7f]/g, ' ') : text
}

/** ` name=value` for each field that says something; `part` is told elsewhere. */
function fieldsText(fields: LogFields): string {
  return Object.entries(fields)
    .filter(([name, value]) => name !== 'part' && value !== undefined && value !== '')
    .map(([name, value]) => ` ${name}=${fieldText(value)}`)
    .join('')
}

function fieldText(value: unknown): string {
  if (value instanceof Error) return goQuote(messageOf(value))
  if (typeof value === 'string') return /^[\w.:/@+-]+$/.test(value) ? value : goQuote(value)
  return JSON.stringify(value) ?? ''
}

/** An error with what led to it. */
function messageOf(error: Error): string {
  return error.cause instanceof Error ? `${error.message}: ${messageOf(error.cause)}` : error.message
}
