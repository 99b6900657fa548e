import { connect } from 'node:net'
import process from 'node:process'

/**
 * A process that opens `count` connections to `port` and says on each only the beginning of something. Prints `open` when
 * all of them are and have spoken, `closed` when the server has cut every one.
 */
const [port = '', count = ''] = process.argv.slice(2)

/** Beginnings after which nothing comes. */
const beginnings = [
  '',
  'GET /x HT',
  'GET /x HTTP/1.1\r\nHost: a.example\r\nX-Slow: a',
  'POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 1000\r\n\r\nsome of it',
  'POST /x HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nsome of it',
  'PRI * HTTP/2.0\r\n',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u0004\0\0\0\0\0',
]

/** How many are dialled at a time, so that the kernel drops none: a server lets no more than its backlog wait. */
const atOnce = 1000

let dialled = 0
let open = 0
let closed = 0
for (let lane = 0; lane < atOnce; lane += 1) dial()

function dial(): void {
  if (dialled === Number(count)) return
  const beginning = beginnings[dialled++ % beginnings.length] ?? ''
  const socket = connect(Number(port), '127.0.0.1')
  socket.on('error', () => {})
  socket.on('connect', () => {
    socket.write(Buffer.from(beginning, 'latin1'), () => {
      open += 1
      if (open === Number(count)) console.log('open')
      else dial()
    })
  })
  socket.on('close', () => {
    closed += 1
    if (closed === Number(count)) console.log('closed')
  })
  socket.resume()
}
