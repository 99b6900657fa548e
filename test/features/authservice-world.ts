import { mkdtempSync, rmSync } from 'node:fs'
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AuthservicePlan, planAuthservice } from '../../src/app/authservice/plan-authservice.ts'
import { type RunningAuthservice, startAuthservice } from '../../src/app/authservice/start-authservice.ts'
import type { Fetch } from '../../src/http/part.ts'
import { openLog } from '../../src/kit/log.ts'
import type { ProxyConfig } from '../../src/proxy/config.ts'

/** What a listener answered. */
export interface Answered {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** How it is asked. */
export interface Asking {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Of the check unless told. */
  readonly port?: number | undefined
}

/** `gatehouse authservice`, on free ports of this machine, and a browser. */
export interface AuthserviceWorld {
  readonly plan: AuthservicePlan
  readonly running: RunningAuthservice
  readonly cookies: Map<string, string>
  readonly logged: string[]
  cookieHeader(): string
  /** As an Envoy asks, or a browser; what it sets is kept. */
  ask(path: string, asking?: Asking): Promise<Answered>
  /** Waits until the provider is known. */
  ready(): Promise<void>
  end(): Promise<void>
}

/** Starts it with these variables; `config` lies over what they say, `reach` is its network. */
export async function authserviceWorld(
  variables: Readonly<Record<string, string>>,
  { reach, config = {} }: { reach: Fetch; config?: Partial<ProxyConfig> },
): Promise<AuthserviceWorld> {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-authservice-'))
  const ports = { SERVER_HOSTNAME: '127.0.0.1', SERVER_PORT: '0', READINESS_PROBE_PORT: '0', WEB_SERVER_PORT: '0' }
  const store = { SESSION_STORE_PATH: join(directory, 'data.db'), GATEHOUSE_GRPC_ADDRESS: '127.0.0.1:0' }
  const all = { ...ports, ...store, KUBERNETES_AUTHN_ENABLED: 'false', ...variables }
  const read = planAuthservice({ variables: all, readFile: () => '' })
  const plan = { ...read, config: { ...read.config, ...config } }
  const logged: string[] = []
  const log = openLog({ level: 'warn', now: () => 0, write: (line) => void logged.push(line) })
  const running = await startAuthservice(plan, { log, reach })
  const cookies = new Map<string, string>()
  const cookieHeader = () => [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')

  async function ask(path: string, { headers = {}, port = running.ports.check, ...asking }: Asking = {}) {
    const cookie: Record<string, string> = cookies.size > 0 ? { cookie: cookieHeader() } : {}
    const answer = await send(path, {
      ...asking,
      port,
      headers: { host: 'kubeflow.example.com', ...cookie, ...headers },
    })
    for (const line of answer.headers['set-cookie'] ?? []) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (value === '') cookies.delete(name)
      else cookies.set(name, value)
    }
    return answer
  }

  return {
    ...{ plan, running, cookies, logged, cookieHeader, ask },
    async ready() {
      for (let look = 0; !running.isReady() && look < 1000; look += 1)
        await new Promise((resolve) => setImmediate(resolve))
    },
    async end() {
      await running.close()
      rmSync(directory, { recursive: true })
    },
  }
}

function send(path: string, { method = 'GET', headers, body = '', port }: Asking): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, method, headers, agent: false }
    const sent = httpRequest(options, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk) => {
        text += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
    })
    sent.on('error', reject).end(body)
  })
}
