import { expect, test } from 'vitest'
import { GatehouseError } from '../../kit/errors.ts'
import { defaultProxyConfig, type ProxyConfig } from '../../proxy/typed-config.ts'
import { compileLogFormats } from './log-formats.ts'
import { type LoggedRequest, openTextLog } from './text-log.ts'

const request: LoggedRequest = {
  client: '10.0.0.1',
  host: 'a.example',
  method: 'GET',
  path: '/oauth2/callback?code=x',
  protocol: 'HTTP/1.1',
  requestId: 'r-1',
  userAgent: 'curl/8',
  startedAt: Date.UTC(2026, 0, 2, 3, 4, 5),
}

function opened(values: Partial<ProxyConfig> = {}) {
  const config = { ...defaultProxyConfig, logging_local_time: false, ...values }
  const lines: string[] = []
  const errors: string[] = []
  const formats = compileLogFormats(config, (key, problem) => errors.push(`${key}: ${problem}`))
  const text = openTextLog({
    ...{ config, formats, now: () => request.startedAt },
    write: (line) => lines.push(line),
    writeError: (line) => errors.push(line),
  })
  return { ...text, lines, errors }
}

test('what the program says is a line with its part, its fields behind it', () => {
  const { log, lines } = opened()
  log.with({ part: 'gateway' }).info('issuer found', { issuer: 'https://a.example', took: 3, none: undefined })
  log.warn('cannot reach it', { cause: new GatehouseError('x', 'no answer', { cause: new Error('ECONNREFUSED') }) })
  expect(lines).toEqual([
    '[2026/01/02 03:04:05] [gateway] issuer found issuer=https://a.example took=3',
    '[2026/01/02 03:04:05] [proxy] WARNING: cannot reach it cause="no answer: ECONNREFUSED"',
  ])
})

test('errors have a stream of their own unless errors_to_info_log joins them', () => {
  const apart = opened()
  apart.log.error('it failed')
  expect([apart.lines, apart.errors]).toEqual([[], ['[2026/01/02 03:04:05] [proxy] ERROR: it failed']])
  const joined = opened({ errors_to_info_log: true })
  joined.log.error('it failed')
  expect(joined.lines).toHaveLength(1)
})

test('nobody writes lines of their own by what they are called, ask for or send', () => {
  const { log, begin, lines, request: tell } = opened()
  const forged = 'x\n10.0.0.9 - r-9 - root [2026/01/02 03:04:05] [AuthSuccess] signed in\r\u001b[2K'
  const made = { ...request, host: forged, path: `/${forged}`, userAgent: forged, requestId: forged }
  begin(made)
  for (const message of ['signed in', 'sign-in denied', 'access token created']) {
    log.info(message, {
      requestId: forged,
      email: forged,
      label: forged,
      user: forged,
      reason: forged,
      groups: [forged],
    })
  }
  tell(made, { status: 200, size: 1, user: forged, upstream: '-', seconds: 0 })
  expect(lines).toHaveLength(4)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  for (const line of lines) expect(line).not.toMatch(/[\x00-\x1f\x7f-\x9f\u2028]/)
})

test('a sign-in is a line about authentication, with what is known of its request', () => {
  const { log, begin, lines } = opened()
  begin(request)
  log.info('signed in', { requestId: 'r-1', email: 'ada@example.com' })
  log.info('sign-in failed', { requestId: 'r-2', reason: 'bad_callback' })
  expect(lines).toEqual([
    '10.0.0.1 - r-1 - ada@example.com [2026/01/02 03:04:05] [AuthSuccess] signed in',
    '- - r-2 - - [2026/01/02 03:04:05] [AuthFailure] sign-in failed reason=bad_callback',
  ])
})

test('each kind of line can be switched off without the others', () => {
  const { log, lines, request: tell } = opened({ auth_logging: false, standard_logging: false })
  log.info('signed in', { requestId: 'r-1' })
  log.info('issuer found')
  tell(request, { status: 302, size: 0, user: '', upstream: '', seconds: 0.0125 })
  expect(lines).toEqual([
    '10.0.0.1 - r-1 - - [2026/01/02 03:04:05] a.example GET - "/oauth2/callback?code=x" HTTP/1.1 "curl/8" 302 0 0.013',
  ])
  const quiet = opened({ request_logging: false })
  quiet.request(request, { status: 200, size: 0, user: '', upstream: '', seconds: 0 })
  expect(quiet.lines).toEqual([])
})

test('a value of a request cannot begin a line of its own', () => {
  const { request: tell, lines } = opened()
  tell(
    { ...request, host: 'a\nb', requestId: 'x\x1b[2J' },
    { status: 200, size: 1, user: 'u\r\nv', upstream: '', seconds: 0 },
  )
  expect([...(lines[0] ?? '')].filter((character) => character < ' ')).toEqual([])
})

test('a format can only fill fields in', () => {
  expect(
    opened({ auth_logging_format: '{{if .Client}}x{{end}}', request_logging_format: '{{.Status}}' }).errors,
  ).toEqual([
    expect.stringMatching(/^auth_logging_format: `\{\{if \.Client\}\}` is not one of \{\{\.Client\}\}/),
    expect.stringMatching(/^request_logging_format: `\{\{\.Status\}\}` is not one of/),
  ])
})
