import { connect, type Socket } from 'node:net'

/** HTTP/2 frames by hand (RFC 9113 §6), for what no client library would send. */
export const frameType = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const
export const endStream = 1
export const endHeaders = 4

const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1')

/** One frame. */
export function frame(
  type: keyof typeof frameType,
  { flags = 0, stream = 0, payload = Buffer.alloc(0) }: { flags?: number; stream?: number; payload?: Buffer } = {},
): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head.writeUInt8(frameType[type], 3)
  head.writeUInt8(flags, 4)
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

/** What a connection begins with; `settings` by their numbers. */
export function opening(settings: readonly (readonly [id: number, value: number])[] = []): Buffer {
  return Buffer.concat([preface, frame('settings', { payload: settingsPayload(settings) })])
}

export function settingsPayload(settings: readonly (readonly [id: number, value: number])[]): Buffer {
  const payload = Buffer.alloc(6 * settings.length)
  for (const [at, [id, value]] of settings.entries()) {
    payload.writeUInt16BE(id, at * 6)
    payload.writeUInt32BE(value, at * 6 + 2)
  }
  return payload
}

/** Header fields as they stand, none of them indexed (RFC 7541 §6.2.2). */
export function headerBlock(fields: readonly (readonly [name: string, value: string])[]): Buffer {
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]))
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1')
  return Buffer.concat([integer(bytes.length), bytes])
}

/** An integer with a prefix of 7 bits (RFC 7541 §5.1). */
function integer(value: number): Buffer {
  if (value < 127) return Buffer.from([value])
  const bytes = [127]
  let left = value - 127
  while (left >= 128) {
    bytes.push((left % 128) + 128)
    left = Math.floor(left / 128)
  }
  return Buffer.from([...bytes, left])
}

/** A GET without a body on a stream, as well-formed as `fields` are. */
export function get(stream: number, fields: readonly (readonly [string, string])[] = plainFields): Buffer {
  return frame('headers', { stream, flags: endStream | endHeaders, payload: headerBlock(fields) })
}

export const plainFields = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', '/a'],
  [':authority', 'a.com'],
] as const

/** A frame as it was read. */
export interface Frame {
  readonly type: number
  readonly flags: number
  readonly stream: number
  readonly payload: Buffer
}

/** Tells of every frame that comes over a socket. */
export function readFrames(socket: Socket, tell: (frame: Frame) => void): void {
  let rest = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk])
    while (rest.length >= 9 && rest.length >= 9 + rest.readUIntBE(0, 3)) {
      const end = 9 + rest.readUIntBE(0, 3)
      const [type = 0, flags = 0] = rest.subarray(3, 5)
      tell({ type, flags, stream: rest.readUInt32BE(5) & 0x7fffffff, payload: rest.subarray(9, end) })
      rest = rest.subarray(end)
    }
  })
}

/** `status 400`, `reset 1` with the error code, `closed 11` likewise (GOAWAY), or `closed`. */
export function exchangeFrames(bytes: Buffer, { port }: { port: number }): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    const settle = (outcome: string): void => {
      resolve(outcome)
      socket.destroy()
    }
    readFrames(socket, ({ type, stream, payload }) => {
      if (type === frameType.headers && stream === 1) settle(`status ${statusOf(payload)}`)
      if (type === frameType.reset && stream === 1) settle(`reset ${payload.readUInt32BE(0)}`)
      if (type === frameType.goAway && payload.readUInt32BE(4) !== 0) settle(`closed ${payload.readUInt32BE(4)}`)
    })
    socket.on('error', () => {})
    socket.on('close', () => settle('closed'))
  })
}

/** Statuses with an index of their own (RFC 7541 appendix A, from 8); others are spelt out. */
const indexed = [200, 204, 206, 304, 400, 404, 500]

function statusOf(block: Buffer): number {
  const first = block[0] ?? 0
  if (first >= 0x88 && first <= 0x8e) return indexed[first - 0x88] ?? 0
  return Number(block.subarray(2, 5).toString('latin1'))
}
