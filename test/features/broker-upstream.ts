import { generateKeyPairSync } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type Provider from 'oidc-provider'

/** The library says at length on the console that it is not set up for production. */
async function quietly<Result>(work: () => Promise<Result>): Promise<Result> {
  const { warn, info } = console
  Object.assign(console, { warn() {}, info() {} })
  try {
    return await work()
  } finally {
    Object.assign(console, { warn, info })
  }
}

/** Someone the upstream provider knows. */
export interface UpstreamUser {
  readonly email: string
  readonly email_verified?: boolean
  readonly name: string
  readonly preferred_username: string
  readonly groups: readonly string[]
}

/** A real OpenID provider on a loopback port, standing for Keycloak behind the broker. */
export interface Upstream {
  readonly issuer: string
  /** Changing or deleting someone takes effect at their next token. */
  readonly users: Map<string, UpstreamUser>
  /** Paths asked for since the last `clear()`. */
  readonly requests: string[]
  /** Makes every request fail at the network until switched on again. */
  isDown: boolean
  /** Changes what the provider answers at a path, to play a provider that lies. */
  tamper: ((path: string, body: Record<string, unknown>) => Record<string, unknown>) | undefined
  readonly fetch: (input: Request | string | URL, init?: RequestInit) => Promise<Response>
  /** Who answers when the provider calls its client, the broker. */
  callClient: (url: string | URL, init: RequestInit) => Promise<Response>
  close(): Promise<void>
}

export const upstreamClient = { id: 'dex', secret: 'upstream-secret' }

/** Opens it for the broker at `brokerIssuer`. */
export async function openUpstream(brokerIssuer: string): Promise<Upstream> {
  const users = new Map<string, UpstreamUser>()
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const callClient = (url: string | URL, init: RequestInit) => upstream.callClient(url, init)
  const provider = await quietly(() => openProvider(issuer, { brokerIssuer, users, callClient }))
  server.on('request', provider.callback())
  const upstream: Upstream = {
    issuer,
    users,
    requests: [],
    isDown: false,
    tamper: undefined,
    callClient: async () => new Response(null, { status: 503 }),
    async fetch(input, init) {
      if (upstream.isDown) throw new TypeError('fetch failed')
      const url = new URL(input instanceof Request ? input.url : input)
      upstream.requests.push(url.pathname)
      const response = await fetch(input, init)
      if (!upstream.tamper || !response.headers.get('content-type')?.startsWith('application/json')) return response
      const body = (await response.json()) as Record<string, unknown>
      return Response.json(upstream.tamper(url.pathname, body), { status: response.status })
    },
    close: () => closeServer(server),
  }
  return upstream
}

async function openProvider(
  issuer: string,
  {
    brokerIssuer,
    users,
    callClient,
  }: { brokerIssuer: string; users: Map<string, UpstreamUser>; callClient: Upstream['callClient'] },
): Promise<Provider> {
  const { default: OidcProvider } = await import('oidc-provider')
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const provider: Provider = new OidcProvider(issuer, {
    clients: [
      {
        client_id: upstreamClient.id,
        client_secret: upstreamClient.secret,
        redirect_uris: [`${brokerIssuer}/callback`],
        post_logout_redirect_uris: [`${brokerIssuer}/logout/callback`],
        grant_types: ['authorization_code', 'refresh_token'],
        backchannel_logout_uri: `${brokerIssuer}/backchannel-logout/keycloak`,
        backchannel_logout_session_required: true,
      },
    ],
    fetch: callClient,
    claims: {
      openid: ['sub'],
      email: ['email', 'email_verified'],
      profile: ['name', 'preferred_username'],
      groups: ['groups'],
    },
    conformIdTokenClaims: false,
    features: {
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: {
        logoutSource: (context: { body: string }, form: string) => {
          context.body = form
        },
      },
    },
    cookies: { keys: ['test'] },
    ttl: {
      AccessToken: 600,
      AuthorizationCode: 60,
      Grant: 3600,
      IdToken: 600,
      Interaction: 600,
      RefreshToken: 3600,
      Session: 3600,
    },
    jwks: { keys: [privateKey.export({ format: 'jwk' })] },
    findAccount: (_context: unknown, sub: string) => {
      const found = users.get(sub)
      return found && { accountId: sub, claims: () => ({ sub, email_verified: true, ...found }) }
    },
    issueRefreshToken: () => true,
    loadExistingGrant: async (context: { oidc: { session: { accountId: string }; client: { clientId: string } } }) => {
      const { session, client } = context.oidc
      const grant = new provider.Grant({ accountId: session.accountId, clientId: client.clientId })
      grant.addOIDCScope('openid email profile groups offline_access')
      await grant.save()
      return grant
    },
  })
  return provider
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}

/** Someone's browser at the upstream provider: keeps its cookies, signs in when asked, follows until it is sent away. */
export interface UpstreamBrowser {
  /** From an authorization or end-session URL to the first place outside of the provider. */
  visit(url: string): Promise<string>
  /** Whether the provider asked for a password since this was last asked. */
  wasAsked(): boolean
}

export function openUpstreamBrowser(upstream: Upstream, { login }: { login: string }): UpstreamBrowser {
  const cookies = new Map<string, string>()
  const send = async (url: string, init: RequestInit = {}): Promise<Response> => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(url, { ...init, redirect: 'manual', headers: { cookie } })
    for (const line of response.headers.getSetCookie()) {
      const [name = '', value = ''] = (line.split(';')[0] ?? '').split('=')
      if (value === '') cookies.delete(name)
      else cookies.set(name, value)
    }
    return response
  }
  let hasBeenAsked = false
  return {
    wasAsked() {
      const answer = hasBeenAsked
      hasBeenAsked = false
      return answer
    },
    async visit(url) {
      let response = await send(url)
      for (let hop = 0; hop < 20; hop += 1) {
        const location = response.headers.get('location')
        if (location !== null) {
          const next = new URL(location, upstream.issuer).href
          if (!next.startsWith(upstream.issuer)) return next
          response = await send(next)
          continue
        }
        const form = readForm(await response.text(), login)
        if (!form) throw new Error(`stuck at the provider: ${response.status} ${response.url}`)
        hasBeenAsked ||= form.fields.get('prompt') === 'login'
        response = await send(new URL(form.action, upstream.issuer).href, { method: 'POST', body: form.fields })
      }
      throw new Error('the provider redirects in circles')
    },
  }
}

/** The one form of the provider's page: its sign-in page or its sign-out page. */
function readForm(html: string, login: string): { action: string; fields: URLSearchParams } | undefined {
  const action = /<form[^>]*action="([^"]+)"/.exec(html)?.[1]
  if (action === undefined) return undefined
  const xsrf = /name="xsrf" value="([^"]+)"/.exec(html)?.[1]
  const prompt = /name="prompt" value="([^"]+)"/.exec(html)?.[1] ?? 'login'
  const fields = new URLSearchParams(xsrf === undefined ? { prompt, login, password: 'any' } : { xsrf, logout: 'yes' })
  return { action, fields }
}
