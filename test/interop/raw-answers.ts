import { connect } from 'node:net'

/** A request put to two programs, as it goes over the wire. */
export interface RawRequest {
  readonly method: string
  readonly path: string
  readonly host: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** A form. */
  readonly body?: string | undefined
}

/** What two programs that do the same answer alike: without dates, secrets, lengths, and the words of pages. */
export interface ComparableAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Sends a request on a connection of its own. */
export function answerTo(port: number, request: RawRequest): Promise<ComparableAnswer> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(wireForm(request)))
    let text = ''
    socket.setEncoding('latin1').on('data', (chunk) => {
      text += chunk
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(comparable(text)))
  })
}

function wireForm({ method, path, host, headers, body }: RawRequest): string {
  const form = ['Content-Type: application/x-www-form-urlencoded', `Content-Length: ${body?.length}`]
  return [
    `${method} ${path} HTTP/1.1`,
    `Host: ${host}`,
    'Connection: close',
    ...headers.map(([name, value]) => `${name}: ${value}`),
    ...(body === undefined ? [] : form),
    '',
    body ?? '',
  ].join('\r\n')
}

/** Of every answer, or not the same in two programs that do the same. */
const incidental = new Set(['connection', 'content-length', 'date', 'keep-alive', 'transfer-encoding'])
/** Said of more answers by us. */
const ofCaches = new Set(['cache-control', 'expires', 'x-accel-expires'])

function comparable(text: string): ComparableAnswer {
  const end = text.indexOf('\r\n\r\n')
  const [line = '', ...rows] = text.slice(0, end).split('\r\n')
  const status = Number(line.split(' ')[1])
  const values = new Map<string, string[]>()
  for (const row of rows) {
    const colon = row.indexOf(':')
    const name = row.slice(0, colon).toLowerCase()
    if (incidental.has(name) || (status >= 400 && ofCaches.has(name))) continue
    values.set(name, [...(values.get(name) ?? []), withoutSecrets(name, row.slice(colon + 1).trim())])
  }
  const headers: Record<string, string> = {}
  for (const [name, all] of values) headers[name] = [...new Set(all)].sort().join(' | ')
  const isOfServer = status === 400 // Go's server has words of its own
  return { status, headers, body: isOfServer ? '' : bodyOf(text.slice(end + 4), headers['content-type'] ?? '') }
}

function withoutSecrets(name: string, value: string): string {
  if (name === 'set-cookie') return value.replace(/^([^=]+)=[^;]+/, '$1=SEALED')
  return name === 'location' ? withoutState(value) : value
}

/** A `state` says whose login it is, which nobody else's does, and where that leads; it may be encoded. */
function withoutState(text: string): string {
  return text.replace(/(state=)([\w%.-]+)/, (_, name: string, given: string) => {
    const state = decodeURIComponent(given)
    const plain = state.includes(':') ? state : Buffer.from(state, 'base64url').toString()
    return `${name}HASH${plain.slice(plain.indexOf(':'))}`
  })
}

/** A sign-in page by where it leads and what can be typed; other pages have words of their own. */
function bodyOf(body: string, type: string): string {
  if (!type.startsWith('text/html') || body.startsWith('<a ')) return withoutState(body)
  if (!/<title>sign in/i.test(body)) return ''
  const targets = [...body.matchAll(/name="rd"[^>]*value="([^"]*)"/g)].map(([, target]) => target)
  return `page to ${[...new Set(targets)]}${body.includes('name="password"') ? ', with a form' : ''}`
}
