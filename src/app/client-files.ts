import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { GatehouseError } from '../kit/errors.ts'
import type { TerminalLogin } from './terminal-login.ts'

/** Where clients look for what a sign-in from a terminal got. */
export interface ClientFiles {
  /** Read by the kfp SDK and `kfp` (kfp/client/client.py `LOCAL_KFP_CONTEXT`). */
  readonly kfp: string
  /** For `curl -K`. */
  readonly curl: string
  /** Our own, for `gatehouse tokens`. */
  readonly login: string
}

/** The files for a platform, below a home directory. */
export function clientFiles(home: string, url: string): ClientFiles {
  const config = join(home, '.config')
  const name = new URL(url).host.replace(':', '_')
  return {
    kfp: join(config, 'kfp', 'context.json'),
    curl: join(config, 'gatehouse', `${name}.curlrc`),
    login: join(config, 'gatehouse', `${name}.json`),
  }
}

/**
 * Writes them, readable by their owner only. The token goes into the session cookie: Kubeflow's stock policies let a
 * request with any `Authorization` pass unasked. What else is in the kfp context stays. @throws GatehouseError `login`
 * where that is no JSON.
 */
export function writeClientFiles(files: ClientFiles, login: TerminalLogin): void {
  const cookie = `${login.cookieName}=${login.token}`
  const context = { namespace: '', ...readContext(files.kfp), client_authentication_cookie: cookie }
  writePrivately(files.kfp, `${JSON.stringify(context, null, 2)}\n`)
  writePrivately(files.curl, `# curl -K ${files.curl} ${login.url}/…\ncookie = "${cookie}"\n`)
  writePrivately(files.login, `${JSON.stringify(login, null, 2)}\n`)
}

/** The login kept for a platform. @throws GatehouseError `login` where there is none. */
export function readLogin(files: ClientFiles): TerminalLogin {
  try {
    return JSON.parse(readFileSync(files.login, 'utf8')) as TerminalLogin // written by us
  } catch (cause) {
    throw new GatehouseError('login', `there is no sign-in at \`${files.login}\`; sign in with gatehouse login URL`, {
      cause,
    })
  }
}

/** Removes what was written; other settings of the kfp context stay, and the file with them. */
export function removeClientFiles(files: ClientFiles): void {
  const { client_authentication_cookie: _gone, ...context } = readContext(files.kfp)
  const saysMore = Object.entries(context).some(([name, value]) => name !== 'namespace' || value !== '')
  if (saysMore) writePrivately(files.kfp, `${JSON.stringify(context, null, 2)}\n`)
  for (const file of [files.curl, files.login, ...(saysMore ? [] : [files.kfp])]) rmSync(file, { force: true })
}

function readContext(file: string): Readonly<Record<string, unknown>> {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return {}
  }
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch {
    // told below
  }
  throw new GatehouseError('login', `\`${file}\` is no JSON object; mend or remove it`)
}

/** Beside its place first: a reader never sees half of it, and it is never readable by others. */
function writePrivately(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const draft = `${file}.new`
  rmSync(draft, { force: true })
  writeFileSync(draft, text, { mode: 0o600 })
  renameSync(draft, file)
}
