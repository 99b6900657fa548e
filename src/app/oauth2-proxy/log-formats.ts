import type { ProxyConfig } from '../../proxy/config.ts'
import { compileTemplate, type FilledTemplate } from './go-template.ts'

const standardFields = ['Timestamp', 'File', 'Message'] as const
const authFields = [
  'Client',
  'Host',
  'Protocol',
  'RequestID',
  'RequestMethod',
  'Timestamp',
  'UserAgent',
  'Username',
  'Status',
  'Message',
] as const
const requestFields = [
  'Client',
  'Host',
  'Protocol',
  'RequestID',
  'RequestDuration',
  'RequestMethod',
  'RequestURI',
  'ResponseSize',
  'StatusCode',
  'Timestamp',
  'Upstream',
  'UserAgent',
  'Username',
] as const

/** The templates of the three kinds of lines. */
export interface LogFormats {
  readonly standard: FilledTemplate<(typeof standardFields)[number]>
  readonly auth: FilledTemplate<(typeof authFields)[number]>
  readonly request: FilledTemplate<(typeof requestFields)[number]>
}

type FormatKey = 'standard_logging_format' | 'auth_logging_format' | 'request_logging_format'

/** oauth2-proxy's own (pkg/logger/logger.go). */
const defaults: Readonly<Record<FormatKey, string>> = {
  standard_logging_format: '[{{.Timestamp}}] [{{.File}}] {{.Message}}',
  auth_logging_format: '{{.Client}} - {{.RequestID}} - {{.Username}} [{{.Timestamp}}] [{{.Status}}] {{.Message}}',
  request_logging_format:
    '{{.Client}} - {{.RequestID}} - {{.Username}} [{{.Timestamp}}] {{.Host}} {{.RequestMethod}} {{.Upstream}} {{.RequestURI}} {{.Protocol}} {{.UserAgent}} {{.StatusCode}} {{.ResponseSize}} {{.RequestDuration}}',
}

/** Compiles the formats of a configuration; `report` is told of one that asks for more than fields. */
export function compileLogFormats(config: ProxyConfig, report: (key: FormatKey, problem: string) => void): LogFormats {
  function compile<Field extends string>(key: FormatKey, fields: readonly Field[]): FilledTemplate<Field> {
    const template = compileTemplate(config[key] || defaults[key], fields)
    if (typeof template === 'function') return template
    report(key, template.problem)
    return () => ''
  }
  return {
    standard: compile('standard_logging_format', standardFields),
    auth: compile('auth_logging_format', authFields),
    request: compile('request_logging_format', requestFields),
  }
}
