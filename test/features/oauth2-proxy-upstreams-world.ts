import { once } from 'node:events'
import { existsSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { systemClock } from '../../src/kit/clock.ts'
import { systemRandom } from '../../src/kit/random.ts'
import type { Session } from '../../src/proxy/session.ts'
import { openSessionCodec } from '../../src/proxy/sessions/session-codec.ts'
import { flagsWithout, type ProgramWorld, programWorld } from './oauth2-proxy-world.ts'

/** What an app was asked. */
export interface Heard {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** An app behind the proxy, on a free port of this machine. */
export interface App {
  readonly port: number
  readonly server: Server
  /** What it was asked so far. */
  readonly heard: Heard[]
  close(): Promise<void>
}

/** Opens an app; unless told otherwise it answers `ok` and remembers what it was asked. */
export async function openApp(listener?: RequestListener, listen?: string): Promise<App> {
  const heard: Heard[] = []
  const server = createServer(async (request, response) => {
    const { method, url, headers } = request
    if (listener) {
      heard.push({ method, url, headers, body: '' })
      listener(request, response)
      return
    }
    let body = ''
    for await (const chunk of request) body += chunk
    heard.push({ method, url, headers, body })
    response.end('ok')
  })
  if (listen === undefined) server.listen(0, '127.0.0.1')
  else server.listen(listen)
  await once(server, 'listening')
  const address = server.address()
  return {
    port: typeof address === 'object' && address ? (address as AddressInfo).port : 0,
    server,
    heard,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const secret = '0123456789abcdef0123456789abcdef'
const keys = { secret, key: Buffer.from(secret, 'base64url') }
const codec = openSessionCodec({
  ...{ name: '_oauth2_proxy', keys, lifetimeSeconds: 604_800, clock: systemClock, random: systemRandom },
})

/** Ada, who is signed in. */
export const ada: Session = {
  createdAt: Date.now(),
  ...{ email: 'ada@example.com', user: 'u-1', groups: ['math', 'engines'], preferredUsername: 'ada' },
  nonce: Buffer.alloc(32, 7),
}

/** The `Cookie` header of a session. */
export function cookieOf(session: Session = ada): string {
  return `_oauth2_proxy=${codec.seal(session)}`
}

/** The program in front of upstreams. */
export function upstreamWorld(upstreams: readonly string[], flags: readonly string[] = []): Promise<StartedProgram> {
  return startProgram([...upstreams.map((one) => `--upstream=${one}`), ...flags], { plain: flagsWithout('upstream') })
}

/** A program that can be kept until the end of a test. */
export type StartedProgram = ProgramWorld & { close(): Promise<void> }

/** Starts the program with these flags. */
export async function startProgram(
  flags: readonly string[],
  options: Parameters<typeof programWorld>[1] = {},
): Promise<StartedProgram> {
  const world = await programWorld(flags, options)
  return {
    ...world,
    async close() {
      await world.running.close()
      if (existsSync(world.directory)) rmSync(world.directory, { recursive: true })
    },
  }
}

const kept: { close(): Promise<void> }[] = []

/** Keeps something until `closeAll`. */
export function keep<Thing extends { close(): Promise<void> }>(thing: Thing): Thing {
  kept.push(thing)
  return thing
}

/** Closes what is kept, the latest first. */
export async function closeAll(): Promise<void> {
  for (const thing of kept.splice(0).toReversed()) await thing.close()
}
