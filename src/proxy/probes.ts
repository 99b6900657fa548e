import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CheckAnswer, CheckRequest } from './check.ts'
import type { ProxyCore } from './core.ts'
import type { ProxyConfig } from './typed-config.ts'

/** An answer to a probe, if the request is one. */
export type Probe = (request: CheckRequest) => CheckAnswer | Promise<CheckAnswer> | undefined

const textHeaders = ['content-type', 'text/plain; charset=utf-8']
const okAnswer: CheckAnswer = { status: 200, headers: textHeaders, body: 'OK', verdict: 'deny' }

/**
 * Compiles `ping_path`, `ping_user_agent`, `gcp_healthchecks` and `ready_path`. They are answered on the proxy's own
 * listener only: to a gateway that asks, 200 would mean “allow”. A User-Agent alone is never a probe (CVE-2026-34457).
 */
export function compileProbe(core: Pick<ProxyCore, 'config' | 'provider' | 'state'>): Probe {
  const { config } = core
  const ofGoogle = config.gcp_healthchecks
  const paths = new Set([config.ping_path, ...(ofGoogle ? ['/liveness_check', '/readiness_check'] : [])])
  const userAgents = new Set([config.ping_user_agent, ofGoogle ? 'GoogleHC/1.0' : ''].filter(Boolean))
  return ({ path, headers }) => {
    const mark = path.indexOf('?')
    const pathname = mark < 0 ? path : path.slice(0, mark)
    if (paths.has(pathname)) {
      return userAgents.size === 0 || userAgents.has(headers['user-agent'] ?? '') ? okAnswer : undefined
    }
    return pathname === config.ready_path ? readiness(core) : undefined
  }
}

async function readiness({ provider, state }: Pick<ProxyCore, 'provider' | 'state'>): Promise<CheckAnswer> {
  const failing = (await state.isReady())
    ? provider.isReady()
      ? undefined
      : 'the sign-in provider does not answer'
    : 'the session store does not answer'
  if (failing === undefined) return okAnswer
  return { status: 503, headers: textHeaders, body: `error: ${failing}`, verdict: 'deny' }
}

/** What `/robots.txt` says: the file of that name in `custom_templates_dir`, else that nothing is for robots. */
export function robotsAnswer({ custom_templates_dir: directory }: ProxyConfig): CheckAnswer {
  const body = (directory && readIfThere(join(directory, 'robots.txt'))) || 'User-agent: *\nDisallow: /\n'
  return { status: 200, headers: textHeaders, body, verdict: 'deny' }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
