/** Requests as bytes that a server may refuse or mend, and how ours answers where it differs from Envoy on purpose. */
export interface MalformedRequest {
  readonly name: string
  readonly bytes: string
  /** Our answer where it is another than Envoy's, and why. */
  readonly ours?: { readonly status: number; readonly because: string }
}

const stricter = 'stricter: nothing that servers read differently is forwarded'
const lines = (...parts: string[]) => `${parts.join('\r\n')}\r\n\r\n`
const host = 'Host: a.com'
const close = 'Connection: close'
const get = (target: string) => lines(`GET ${target} HTTP/1.1`, host, close)
const chunked = 'Transfer-Encoding: chunked'

export const malformedRequests: readonly MalformedRequest[] = [
  { name: 'plain', bytes: get('/a') },
  {
    name: 'content-length and chunked',
    bytes: `${lines('POST /a HTTP/1.1', host, close, 'Content-Length: 5', chunked)}0\r\n\r\n`,
  },
  {
    name: 'two content-lengths that differ',
    bytes: `${lines('POST /a HTTP/1.1', host, close, 'Content-Length: 3', 'Content-Length: 4')}abcd`,
  },
  { name: 'content-length with a sign', bytes: `${lines('POST /a HTTP/1.1', host, close, 'Content-Length: +3')}abc` },
  {
    name: 'content-length that is no number',
    bytes: `${lines('POST /a HTTP/1.1', host, close, 'Content-Length: x')}abc`,
  },
  { name: 'negative content-length', bytes: `${lines('POST /a HTTP/1.1', host, close, 'Content-Length: -1')}` },
  {
    name: 'unknown transfer-encoding',
    ours: { status: 400, because: 'refused as well, with another status' },
    bytes: `${lines('POST /a HTTP/1.1', host, close, 'Transfer-Encoding: gzip')}abc`,
  },
  {
    name: 'chunked twice',
    ours: { status: 400, because: 'refused as well, with another status' },
    bytes: `${lines('POST /a HTTP/1.1', host, close, chunked, chunked)}0\r\n\r\n`,
  },
  {
    name: 'chunk size that is no number',
    bytes: `${lines('POST /a HTTP/1.1', host, close, chunked)}zz\r\nabc\r\n0\r\n\r\n`,
  },
  {
    name: 'folded header',
    ours: { status: 400, because: stricter },
    bytes: lines('GET /a HTTP/1.1', host, 'X-A: 1', ' 2', close),
  },
  { name: 'space before the colon', bytes: lines('GET /a HTTP/1.1', host, 'X-A : 1', close) },
  { name: 'header name with a space', bytes: lines('GET /a HTTP/1.1', host, 'X A: 1', close) },
  { name: 'empty header name', bytes: lines('GET /a HTTP/1.1', host, ': 1', close) },
  { name: 'header without a colon', bytes: lines('GET /a HTTP/1.1', host, 'X-A', close) },
  { name: 'control character in a value', bytes: lines('GET /a HTTP/1.1', host, 'X-A: 1\u00012', close) },
  { name: 'NUL in a value', bytes: lines('GET /a HTTP/1.1', host, 'X-A: 1\u00002', close) },
  { name: 'no host', bytes: lines('GET /a HTTP/1.1', close) },
  {
    name: 'two hosts',
    ours: { status: 400, because: stricter },
    bytes: lines('GET /a HTTP/1.1', host, 'Host: b.com', close),
  },
  {
    name: 'two equal hosts',
    ours: { status: 400, because: stricter },
    bytes: lines('GET /a HTTP/1.1', host, host, close),
  },
  { name: 'empty host', ours: { status: 400, because: stricter }, bytes: lines('GET /a HTTP/1.1', 'Host: ', close) },
  { name: 'host with a space', bytes: lines('GET /a HTTP/1.1', 'Host: a b', close) },
  { name: 'host with a slash', bytes: lines('GET /a HTTP/1.1', 'Host: a.com/x', close) },
  {
    name: 'host with user information',
    ours: { status: 400, because: stricter },
    bytes: lines('GET /a HTTP/1.1', 'Host: u@a.com', close),
  },
  {
    name: 'HTTP/1.0 without a host',
    ours: { status: 400, because: 'HTTP/1.0 is served, but only with a Host' },
    bytes: lines('GET /a HTTP/1.0', close),
  },
  {
    name: 'HTTP/1.0',
    ours: { status: 200, because: 'health checks still speak it; istiod can turn it on too (PILOT_HTTP10)' },
    bytes: lines('GET /a HTTP/1.0', host, close),
  },
  {
    name: 'HTTP/2.0 in words',
    ours: { status: 400, because: 'refused as well, with another status' },
    bytes: lines('GET /a HTTP/2.0', host, close),
  },
  {
    name: 'no version',
    ours: { status: 400, because: 'refused as well, with another status' },
    bytes: lines('GET /a', host, close),
  },
  { name: 'absolute form', bytes: get('http://b.com/a') },
  {
    name: 'absolute form of https',
    ours: { status: 200, because: 'the scheme of a target is not believed, so it cannot mismatch' },
    bytes: get('https://b.com/a'),
  },
  { name: 'absolute form without a path', bytes: get('http://b.com') },
  {
    name: 'absolute form with user information',
    ours: { status: 400, because: stricter },
    bytes: get('http://u@b.com/a'),
  },
  { name: 'absolute form of another scheme', bytes: get('ftp://b.com/a') },
  { name: 'path without a slash', bytes: get('a') },
  {
    name: 'asterisk',
    ours: { status: 400, because: 'refused as well, with another status' },
    bytes: lines('OPTIONS * HTTP/1.1', host, close),
  },
  {
    name: 'CONNECT',
    ours: { status: 0, because: 'no tunnels: the connection is closed' },
    bytes: lines('CONNECT b.com:443 HTTP/1.1', host, close),
  },
  { name: 'TRACE', bytes: lines('TRACE /a HTTP/1.1', host, close) },
  { name: 'unknown method', bytes: lines('FOO /a HTTP/1.1', host, close) },
  { name: 'method in lower case', bytes: lines('get /a HTTP/1.1', host, close) },
  { name: 'method with a slash', bytes: lines('GE/T /a HTTP/1.1', host, close) },
  { name: 'escaped NUL', bytes: get('/a%00') },
  { name: 'escaped NUL in the query', bytes: get('/a?x=%00') },
  { name: 'fragment', bytes: get('/a#b') },
  { name: 'fragment before the query', bytes: get('/a#b?c') },
  { name: 'half an escape', bytes: get('/a%') },
  { name: 'escape of no digits', bytes: get('/a%zz') },
  { name: 'raw UTF-8 in the path', bytes: get('/\u00c3\u00a4') },
  { name: 'space in the path', bytes: get('/a b') },
  { name: 'tab in the path', bytes: get('/a\tb') },
  { name: 'backslash', bytes: get('/a\\b') },
  { name: 'above the root', bytes: get('/../../a') },
  {
    name: 'bare line feeds',
    ours: { status: 400, because: stricter },
    bytes: 'GET /a HTTP/1.1\nHost: a.com\nConnection: close\n\n',
  },
  { name: 'empty lines first', bytes: `\r\n\r\n${get('/a')}` },
  { name: 'very long header', bytes: lines('GET /a HTTP/1.1', host, close, `X-A: ${'a'.repeat(70_000)}`) },
  { name: 'very long path', bytes: get(`/${'a'.repeat(70_000)}`) },
  {
    name: 'many headers',
    ours: { status: 200, because: 'header bytes are limited, not their number' },
    bytes: lines('GET /a HTTP/1.1', host, close, ...Array.from({ length: 150 }, (_, at) => `X-${at}: 1`)),
  },
]
