import type { Fetch } from '../http/part.ts'
import { GatehouseError } from '../kit/errors.ts'
import { whyUnreachable } from './why-unreachable.ts'

/** What a sign-in from a terminal asks for. */
export interface TerminalLoginWish {
  /** The platform: `https://platform.example.com`. */
  readonly url: string
  /** Where the proxy's own pages are: `/oauth2`. */
  readonly prefix: string
  readonly label: string
  readonly paths: readonly string[]
  readonly days: string
}

/** What it got: a personal access token. */
export interface TerminalLogin {
  readonly url: string
  readonly token: string
  /** What the token is called in lists; nobody can use it by that. */
  readonly id: string
  /** The cookie the token may stand in, where a gateway asks only requests without `Authorization`. */
  readonly cookieName: string
  readonly email: string
  /** ISO 8601. */
  readonly expires: string
}

/** The terminal, and time. */
export interface TerminalLoginTools {
  readonly fetch: Fetch
  /** Shows the link to open and the code to compare. */
  show(link: string, code: string): void
  /** Waits so many seconds. */
  wait(seconds: number): Promise<void>
  now(): number
}

/**
 * Signs in from a terminal by a link that any browser may open (RFC 8628). @throws GatehouseError `login` where the
 * platform cannot be asked, the user refuses, or nobody opens the link in time.
 */
export async function signInFromTerminal(wish: TerminalLoginWish, tools: TerminalLoginTools): Promise<TerminalLogin> {
  const { url, prefix, label, paths, days } = wish
  const fields = new URLSearchParams({ label, days })
  for (const path of paths) fields.append('path', path)
  const started = await post(`${url}${prefix}/device_authorization`, fields, tools)
  if (started.status !== 200) throw failed(refusalOf(started.body, url))
  const { device_code: code, user_code: userCode, verification_uri: link, interval = 3 } = started.body
  if (typeof code !== 'string' || typeof link !== 'string') throw failed(`\`${url}\` is no Gatehouse platform`)
  // The platform may know itself by another name inside: the link must lead where the user asked to go.
  const shown = new URL(link)
  tools.show(url + shown.pathname + shown.search, String(userCode))
  for (;;) {
    await tools.wait(Number(interval))
    const { status, body } = await post(
      `${url}${prefix}/device_token`,
      new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code: code }),
      tools,
    )
    if (status === 200) return loginOf(body, url, tools.now())
    const { error } = body
    if (error === 'access_denied') throw failed('the sign-in was refused in the browser')
    if (error === 'expired_token') throw failed('the link was not used in time; start again')
    if (error !== 'authorization_pending' && error !== 'slow_down') throw failed(refusalOf(body, url))
  }
}

type Body = Readonly<Record<string, unknown>>

async function post(target: string, fields: URLSearchParams, { fetch }: TerminalLoginTools) {
  const headers = { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' }
  const sent = { method: 'POST', headers, body: fields.toString(), redirect: 'manual' as const }
  const response = await fetch(target, sent).catch((cause: unknown) => {
    throw new GatehouseError('login', `\`${new URL(target).origin}\` cannot be reached${whyUnreachable(cause)}`, {
      cause,
    })
  })
  const body: unknown = await response.json().catch(() => undefined)
  return { status: response.status, body: typeof body === 'object' && body !== null ? (body as Body) : {} }
}

function refusalOf({ error, error_description: description }: Body, url: string): string {
  if (typeof description === 'string') return description
  if (typeof error === 'string') return `\`${url}\` answered ${error}`
  return `\`${url}\` does not offer sign-in from a terminal; is it a Gatehouse platform, and is the proxy at this prefix?`
}

function loginOf(body: Body, url: string, now: number): TerminalLogin {
  const { access_token: token, token_id: id, cookie_name: cookieName, email, expires_in: expiresIn } = body
  if (typeof token !== 'string') throw failed(`\`${url}\` gave no token`)
  const expires = new Date(now + Number(expiresIn) * 1000).toISOString()
  return { url, token, id: String(id), cookieName: String(cookieName), email: String(email), expires }
}

function failed(message: string): GatehouseError {
  return new GatehouseError('login', message)
}
