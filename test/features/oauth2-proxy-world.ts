import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { settleCommandLine } from '../../src/app/oauth2-proxy/command-line.ts'
import { type RunningOauth2Proxy, startOauth2Proxy } from '../../src/app/oauth2-proxy/start-oauth2-proxy.ts'
import { parseProxyFlags } from '../../src/proxy/flags.ts'

/** An answer of the program. */
export interface ProgramAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** How it is asked. */
export interface Asked {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly socketPath?: string
  /** By TLS, with this as the certificate's authority. */
  readonly ca?: string
  /** Instead of the port of the listener. */
  readonly port?: number | undefined
}

/** The program, as `gatehouse oauth2-proxy` runs it, on free ports of this machine. */
export interface ProgramWorld {
  readonly directory: string
  readonly running: RunningOauth2Proxy
  ask(path: string, asked?: Asked): Promise<ProgramAnswer>
  /** Ends the program. @returns what it has logged, where it logs to `proxy.log` of the directory. */
  end(): Promise<string>
}

/** Whose issuer is never there: what is asked here needs no sign-in. */
const plainFlags = [
  ...['--provider=oidc', '--oidc-issuer-url=http://127.0.0.1:1/dex', '--client-id=id', '--client-secret=shh'],
  ...['--cookie-secret=0123456789abcdef0123456789abcdef', '--email-domain=*', '--upstream=static://202'],
  ...['--redirect-url=http://localhost/oauth2/callback', '--skip-auth-route=^/open', '--logging-local-time=false'],
]

/** The plain flags without one of them. */
export function flagsWithout(flag: string): readonly string[] {
  return [...plainFlags.filter((one) => !one.startsWith(`--${flag}=`)), '--http-address=127.0.0.1:0']
}

/** A new directory for the files of a program. */
export function programDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'gatehouse-oauth2-proxy-'))
}

/** Starts the program with these flags beside the plain ones. */
export async function programWorld(
  flags: readonly string[] = [],
  { directory = programDirectory(), plain = plainFlags }: { directory?: string; plain?: readonly string[] } = {},
): Promise<ProgramWorld> {
  const listening = flags.some((flag) => flag.startsWith('--http-address')) ? [] : ['--http-address=127.0.0.1:0']
  const logging = flags.some((flag) => flag.startsWith('--logging-filename'))
    ? []
    : [`--logging-filename=${join(directory, 'proxy.log')}`, '--errors-to-info-log']
  const argv = [...plain, ...(plain === plainFlags ? listening : []), ...logging, ...flags]
  const readFile = (path: string) => readFileSync(path, 'utf8')
  const outcome = settleCommandLine({ argv, flags: parseProxyFlags(argv), variables: {}, readFile })
  if (outcome.kind === 'end') throw new Error(outcome.stderr)
  const running = await startOauth2Proxy(outcome.plan)
  return {
    directory,
    running,
    ask: (path, asked = {}) => ask(path, { port: asked.ca ? running.ports.secure : running.ports.plain, ...asked }),
    async end() {
      await running.close()
      const log = readFileSync(join(directory, 'proxy.log'), 'utf8')
      rmSync(directory, { recursive: true })
      return log
    },
  }
}

function ask(path: string, { method = 'GET', headers = {}, socketPath, ca, port }: Asked): Promise<ProgramAnswer> {
  const place = socketPath === undefined ? { host: '127.0.0.1', port } : { socketPath }
  const options = { ...place, path, method, headers, agent: false, ...(ca === undefined ? {} : { ca }) }
  return new Promise((resolve, reject) => {
    const sent = (ca === undefined ? httpRequest : httpsRequest)(options, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk) => {
        text += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
    })
    sent.on('error', reject).end()
  })
}
