import { connect } from 'node:net'

/** An answer as it came over the wire. */
export interface RawReply {
  /** 0 where the connection was closed without an answer. */
  readonly status: number
  /** Names in lower case, in order, repeated ones repeated. */
  readonly headers: readonly (readonly [string, string])[]
  readonly body: string
}

/** Sends bytes over a connection of their own and reads until it is closed. */
export function exchangeRaw(bytes: string, { port, from = '127.0.0.1' }: { port: number; from?: string }) {
  return new Promise<RawReply>((resolve, reject) => {
    const chunks: Buffer[] = []
    const socket = connect({ port, host: '127.0.0.1', localAddress: from }, () => {
      socket.write(Buffer.from(bytes, 'latin1'))
    })
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      const reply = parseReply(Buffer.concat(chunks).toString('latin1'))
      if (!reply || !(reply.isWhole || bytes.startsWith('HEAD '))) return
      socket.destroy()
      resolve(reply)
    })
    socket.on('error', (error) => {
      if ((error as NodeJS.ErrnoException).code === 'ECONNRESET') return
      reject(error)
    })
    socket.on('close', () => resolve(parseReply(Buffer.concat(chunks).toString('latin1')) ?? noReply))
  })
}

const noReply: RawReply = { status: 0, headers: [], body: '' }

/** One request as bytes; the connection ends with its answer. */
export function requestBytes(request: {
  readonly method: string
  readonly path: string
  readonly host: string
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  readonly sends?: string | undefined
}): string {
  const lines = Object.entries(request.headers).flatMap(([name, value]) =>
    [value].flat().map((one) => `${name}: ${one}`),
  )
  const length = request.sends === undefined ? [] : [`content-length: ${request.sends.length}`]
  const first = [`${request.method} ${request.path} HTTP/1.1`, `Host: ${request.host}`]
  const head = [...first, ...lines, ...length, 'Connection: close']
  return `${head.join('\r\n')}\r\n\r\n${request.sends ?? ''}`
}

function parseReply(text: string): (RawReply & { readonly isWhole: boolean }) | undefined {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const [statusLine = '', ...lines] = text.slice(0, end).split('\r\n')
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
  })
  const body = text.slice(end + 4)
  const length = headers.find(([name]) => name === 'content-length')?.[1]
  const isWhole = length !== undefined && body.length >= Number(length)
  return { status: Number(statusLine.split(' ')[1]), headers, body, isWhole }
}
