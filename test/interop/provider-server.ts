import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { systemClock } from '../../src/kit/clock.ts'
import { issuer, kubeflow, openTestProvider, type TestProvider } from '../features/proxy-world.ts'

/** A provider on a port, which takes every refresh token once and counts. */
export interface ProviderServer {
  readonly provider: TestProvider
  /** Flags that make oauth2-proxy, or us in its place, a client of it. */
  readonly flags: readonly string[]
  /** Refresh tokens it has exchanged, in order. */
  readonly exchanged: readonly string[]
  /** Refresh tokens that were shown once more. */
  readonly replayed: readonly string[]
  /** How long an answer of the token endpoint takes, in milliseconds. */
  delay: number
  stop(): Promise<void>
}

export async function startProviderServer(): Promise<ProviderServer> {
  const provider = openTestProvider(systemClock)
  provider.refreshTokens = true
  provider.tamper = (claims) => ({ ...claims, jti: randomUUID() }) // no two tokens are the same
  const exchanged: string[] = []
  const replayed: string[] = []

  async function answer(request: IncomingMessage): Promise<Response> {
    const { method = 'GET', url = '/', headers } = request
    const body = Buffer.concat(await request.toArray()).toString()
    const refreshToken = new URLSearchParams(body).get('refresh_token')
    if (url === '/token') await pause(running.delay)
    if (refreshToken !== null) {
      const isReplay = exchanged.includes(refreshToken)
      const list = isReplay ? replayed : exchanged
      list.push(refreshToken)
      if (isReplay) return Response.json({ error: 'invalid_grant' }, { status: 400 })
    }
    return provider.fetch(issuer + url, {
      method,
      headers: { authorization: respelt(headers.authorization), 'content-type': headers['content-type'] ?? '' },
      ...(method === 'GET' ? {} : { body }),
    })
  }

  const server = createServer((request, response) => {
    answer(request).then(async (answered) => {
      response.writeHead(answered.status, Object.fromEntries(answered.headers))
      response.end(await answered.text())
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}` // listens on a port
  const running = {
    provider,
    flags: [
      '--provider=oidc',
      '--skip-oidc-discovery=true',
      `--oidc-issuer-url=${issuer}`,
      `--login-url=${issuer}/auth`,
      `--redeem-url=${origin}/token`,
      `--oidc-jwks-url=${origin}/keys`,
      `--client-id=${kubeflow.client_id}`,
      `--client-secret=${kubeflow.client_secret}`,
      '--code-challenge-method=S256',
      '--email-domain=*',
      '--upstream=static://200',
      '--skip-provider-button=true',
      '--set-xauthrequest=true',
      '--set-authorization-header=true',
      '--cookie-secure=false',
    ],
    exchanged,
    replayed,
    delay: 0,
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return running
}

/** Go writes a blank of a client secret as `+` (RFC 6749 §2.3.1, form encoding), the provider takes `%20`. */
function respelt(authorization = ''): string {
  const [scheme = '', encoded = ''] = authorization.split(' ')
  const credentials = Buffer.from(encoded, 'base64').toString().replaceAll('+', '%20')
  return `${scheme} ${Buffer.from(credentials).toString('base64')}`
}
