import { connect, type Socket } from 'node:net'
import process from 'node:process'

/**
 * The process behind `openLoad`: sends requests at a steady rate whether or not earlier ones are answered, as many
 * people do, and prints how long answers took. What falls due within a millisecond is sent together.
 */
interface Job {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** Requests per second. */
  readonly rate: number
  readonly seconds: number
}

const connections = 64
const job: Job = JSON.parse(process.argv[2] ?? '')
const { hostname, port, host, pathname } = new URL(job.url)
const lines = Object.entries(job.headers).map(([name, value]) => `${name}: ${value}\r\n`)
const request = Buffer.from(`GET ${pathname} HTTP/1.1\r\nHost: ${host}\r\n${lines.join('')}\r\n`)

const latencies: number[] = []
let errors = 0
/** When requests fell due that no connection was free for. */
const waiting: number[] = []
const free: ((due: number) => void)[] = []

function openConnection(): void {
  let due = 0
  let left = -1
  const socket: Socket = connect(Number(port), hostname)
  socket.setNoDelay(true)
  const take = (next: number): void => {
    due = next
    socket.write(request)
  }
  const rest = (): void => {
    const next = waiting.shift()
    if (next === undefined) free.push(take)
    else take(next)
  }
  socket.on('connect', rest)
  socket.on('data', (chunk) => {
    let length = chunk.length
    if (left < 0) {
      const head = chunk.toString('latin1', 0, Math.min(chunk.length, 16_384))
      const end = head.indexOf('\r\n\r\n') + 4
      if (!head.startsWith('HTTP/1.1 200')) errors += 1
      left = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)
      length -= end
    }
    left -= length
    if (left > 0) return
    left = -1
    latencies.push(performance.now() - due)
    rest()
  })
  socket.on('error', () => {
    errors += 1
  })
}

for (let at = 0; at < connections; at += 1) openConnection()
await new Promise((resolve) => setTimeout(resolve, 200))
const since = performance.now()
let sent = 0
await new Promise<void>((resolve) => {
  const tick = setInterval(() => {
    const now = performance.now()
    const dueByNow = Math.floor(((now - since) / 1000) * job.rate)
    for (; sent < dueByNow; sent += 1) {
      const send = free.pop()
      if (send) send(now)
      else waiting.push(now)
    }
    if (now - since < job.seconds * 1000) return
    clearInterval(tick)
    resolve()
  }, 1)
})
const until = performance.now() + 10_000
while (latencies.length < sent && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 10))
const sorted = latencies.slice(Math.floor(latencies.length / 4)).sort((a, b) => a - b) // a quarter warms up
const percentile = (part: number) => sorted[Math.floor(sorted.length * part)] ?? Number.NaN
console.log(JSON.stringify({ p50: percentile(0.5), p99: percentile(0.99), answers: latencies.length, sent, errors }))
process.exit()
