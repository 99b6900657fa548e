import { createServer } from 'node:http'
import process from 'node:process'
import { openGrpcListener } from '../src/app/listening/grpc-listener.ts'
import { loadChainFromDirectory } from '../src/config/from-directory.ts'
import { type Clock, systemClock } from '../src/kit/clock.ts'
import { silentLog } from '../src/kit/log.ts'
import { systemRandom } from '../src/kit/random.ts'
import { type ProxyConfig, proxyConfigSchema } from '../src/proxy/config.ts'
import { openProxy } from '../src/proxy/open-proxy.ts'
import { extAuthzHandler } from '../src/proxy/transports/ext-authz-http.ts'
import { openSqlRecords } from '../src/store/records.ts'
import { testDatabase } from '../test/world/database.ts'
import { freePort } from '../test/world/programs.ts'
import { type BenchProcess, startProcess } from './process.ts'

const host = '127.0.0.1'
const main = new URL('main.ts', import.meta.url).pathname

/** A server that is a process of its own, so that its CPU time can be told from the others'. */
export interface BenchServer extends BenchProcess {
  readonly origin: string
}

/** Servers `bench/main.ts` can become. */
const helpers = {
  /** The proxy of a platform's directory, at its own listener. */
  proxy: serveProxyOf,
  /** The proxy alone, configured as JSON, on a fast clock. */
  checker: (port: number, options: string) => serveProxy(port, proxyConfigSchema.parse(JSON.parse(options)), fastClock),
  /** An application that answers with 1 kB. */
  application: serveApplication,
  /** A provider's key set. */
  keys: serveKeys,
} satisfies Readonly<Record<string, (port: number, argument: string) => Promise<void>>>

type HelperName = keyof typeof helpers

/** Starts a helper on a processor. */
export async function startHelper(
  name: HelperName,
  { cpu, argument = '' }: { cpu: number; argument?: string },
): Promise<BenchServer> {
  const port = await freePort()
  const origin = `http://${host}:${port}`
  const command = [process.execPath, main, 'helper', name, String(port), argument]
  return { ...(await startProcess(command, { cpu, readyUrl: `${origin}/ping` })), origin }
}

/** What a helper's process runs. */
export async function runHelper([name = '', port = '', argument = '']: readonly string[]): Promise<void> {
  if (Object.hasOwn(helpers, name)) await helpers[name as HelperName](Number(port), argument)
}

async function serveProxyOf(port: number, directory: string): Promise<void> {
  const publicUrl = `http://${host}:${port}`
  const secrets = { state: 'unused', cookie: 'unused', clients: {} }
  const { chain, problems } = loadChainFromDirectory(directory, { publicUrl, secrets, env: {}, demo: true })
  if (!chain?.proxy) throw new Error(problems.map(({ message }) => message).join('\n'))
  await serveProxy(port, chain.proxy)
}

const startedAt = systemClock.now()
/** A hundred times as fast: the minute somebody is remembered is over before the others have all come round once. */
const fastClock: Clock = { now: () => startedAt + (systemClock.now() - startedAt) * 100 }

async function serveProxy(port: number, config: ProxyConfig, clock = systemClock): Promise<void> {
  const proxy = openProxy({
    config,
    records: openSqlRecords(await testDatabase(), clock),
    clock,
    random: systemRandom,
    log: silentLog,
    fetch: (input, init) => fetch(input, init),
  })
  createServer(extAuthzHandler(proxy, { random: systemRandom, requestIdHeader: 'x-request-id' })).listen(port, host)
  await openGrpcListener(config.grpc_address, { proxy: () => proxy, log: silentLog })
}

async function serveApplication(port: number): Promise<void> {
  const body = Buffer.alloc(1024, 'x')
  const headers = ['content-type', 'text/plain', 'content-length', String(body.length)]
  createServer((_request, response) => response.writeHead(200, headers).end(body)).listen(port, host)
}

async function serveKeys(port: number, keySet: string): Promise<void> {
  createServer((_request, response) =>
    response.writeHead(200, ['content-type', 'application/json']).end(keySet),
  ).listen(port, host)
}
