import { generateKeyPairSync } from 'node:crypto'
import type { Fetch } from '../../src/http/part.ts'
import { publicJwk } from '../../src/tokens/jwk.ts'
import { signJwt } from '../../src/tokens/sign.ts'

/** Answers a request to one endpoint; the path's last part may be looked at by `url`. */
export type Route = (request: Request, url: URL) => Response | Promise<Response>

/** A provider's servers behind `fetch`: a token endpoint and an API, as its documentation describes them. */
export interface TestCloud {
  readonly fetch: Fetch
  /** `METHOD origin/path` → answer. A path that ends in `*` stands for all that begin so. */
  readonly routes: Record<string, Route>
  /** Everything asked for, `METHOD url`. */
  readonly requests: string[]
  /** Forms the token endpoint got. */
  readonly grants: URLSearchParams[]
  /** Put into the ID tokens. */
  nonce: string | undefined
  isDown: boolean
}

export interface CloudSettings {
  readonly clock: { now(): number }
  readonly tokenUrl: string
  /** Claims of the ID token; without them none is issued. */
  readonly idClaims?: Record<string, unknown> | undefined
  readonly jwksUrl?: string
  /** More members of the token answer. */
  readonly tokens?: Record<string, unknown>
  readonly routes?: Record<string, Route>
}

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })

/** Signs claims as every cloud of the tests does. */
export function signAsCloud(claims: Record<string, unknown>): Promise<string> {
  return signJwt(claims, { kid: 'cloud', alg: 'RS256', privateKey })
}

/** Opens a cloud that gives tokens for `good-code` and `good-refresh`. */
export function openTestCloud({ clock, tokenUrl, idClaims, jwksUrl, tokens, routes = {} }: CloudSettings): TestCloud {
  let serial = 0

  async function token(request: Request): Promise<Response> {
    const form = new URLSearchParams(await request.text())
    cloud.grants.push(form)
    const isGood = form.get('code') === 'good-code' || form.get('refresh_token') === 'good-refresh'
    if (!isGood) return Response.json({ error: 'invalid_grant' }, { status: 400 })
    serial += 1
    const now = Math.floor(clock.now() / 1000)
    const idToken = idClaims && (await signAsCloud({ nonce: cloud.nonce, iat: now, exp: now + 3600, ...idClaims }))
    return Response.json({
      access_token: `access-${serial}`,
      token_type: 'bearer',
      expires_in: 3600,
      ...(idToken === undefined ? {} : { id_token: idToken }),
      ...tokens,
    })
  }

  const cloud: TestCloud = {
    routes: {
      [`POST ${tokenUrl}`]: token,
      ...(jwksUrl === undefined
        ? {}
        : {
            [`GET ${jwksUrl}`]: () => Response.json({ keys: [publicJwk(privateKey, { kid: 'cloud', alg: 'RS256' })] }),
          }),
      ...routes,
    },
    requests: [],
    grants: [],
    nonce: undefined,
    isDown: false,
    async fetch(input, init) {
      const request = new Request(input, init)
      const url = new URL(request.url)
      const asked = `${request.method} ${url.origin}${url.pathname}`
      cloud.requests.push(`${request.method} ${request.url}`)
      if (cloud.isDown) throw new TypeError('connection refused')
      const names = Object.keys(cloud.routes)
      const name =
        names.find((one) => one === asked) ??
        names.find((one) => one.endsWith('*') && asked.startsWith(one.slice(0, -1)))
      const route = name === undefined ? undefined : cloud.routes[name]
      return route ? route(request, url) : Response.json({ message: 'Not Found' }, { status: 404 })
    },
  }
  return cloud
}

/** Answers JSON to whoever shows an access token in its header, by `scheme`. */
export function forBearer(value: unknown, scheme = 'Bearer'): Route {
  return ({ headers }) =>
    headers.get('authorization')?.startsWith(`${scheme} access-`)
      ? Response.json(value)
      : Response.json({ message: 'Bad credentials' }, { status: 401 })
}
