import { readFile } from 'node:fs/promises'
import type { Fetch } from '../../http/part.ts'
import { type Clock, epochSeconds } from '../../kit/clock.ts'
import { GatehouseError } from '../../kit/errors.ts'
import { type Random, randomUuid } from '../../kit/random.ts'
import type { ProviderOptions } from '../alpha/provider-options.ts'
import type { ProviderEndpoints } from './endpoints.ts'
import type { ProviderKind } from './kind.ts'

/** What the token endpoint answered (RFC 6749 §5.1). */
export interface TokenAnswer {
  readonly accessToken: string
  readonly idToken: string | undefined
  readonly refreshToken: string | undefined
  /** Seconds the access token lives. */
  readonly expiresIn: number | undefined
}

/** Sends grants to the token endpoint. */
export interface TokenEndpoint {
  /**
   * @throws GatehouseError `grant_refused` where the provider says the grant is not good (any more), `provider_refused`
   * for its other refusals, `provider_unavailable` where it does not answer.
   */
  request(grant: Readonly<Record<string, string>>, endpoints: ProviderEndpoints): Promise<TokenAnswer>
}

type AuthMethod = 'client_secret_basic' | 'client_secret_post'
const timeout = 10_000

/**
 * Authenticates by the method the provider names, else by HTTP Basic. Only where Basic is refused as such
 * (`invalid_client`) the secret is sent in the body, and that is remembered: the original repeats the request after any
 * error, which burns codes (its issue 1473). OAuth2 providers without discovery take it in the body from the start.
 */
export function openTokenEndpoint({
  options,
  kind,
  fetch,
  clock,
  random,
}: {
  options: ProviderOptions
  kind: ProviderKind
  fetch: Fetch
  clock: Clock
  random: Random
}): TokenEndpoint {
  const fixed = kind.clientAuth ?? (kind.protocol === 'oauth2' ? 'client_secret_post' : undefined)
  const assertion = kind.clientAssertion?.(options)
  let learnt: AuthMethod | undefined = fixed

  async function send(grant: Readonly<Record<string, string>>, url: string, method: AuthMethod) {
    const secret = options.clientSecret || (await readFile(options.clientSecretFile, 'utf8'))
    const form = new URLSearchParams(grant)
    const headers: Record<string, string> = { accept: 'application/json' }
    if (method === 'client_secret_basic') {
      const credentials = [options.clientID, secret].map(encodeURIComponent).join(':') // RFC 6749 §2.3.1
      headers['authorization'] = `Basic ${Buffer.from(credentials).toString('base64')}`
    } else {
      form.set('client_id', options.clientID)
      form.set('client_secret', secret)
    }
    return post(fetch, url, { form, headers })
  }

  async function sendAsserted(
    grant: Readonly<Record<string, string>>,
    url: string,
    sign: NonNullable<typeof assertion>,
  ) {
    const request = { tokenUrl: url, nowSeconds: epochSeconds(clock), id: randomUuid(random) }
    const form = new URLSearchParams({
      ...grant,
      client_id: options.clientID,
      client_assertion: await sign(request),
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', // RFC 7523 §2.2
    })
    return post(fetch, url, { form, headers: { accept: 'application/json' } })
  }

  return {
    async request(grant, { token, authMethods }) {
      if (assertion) return tokensOf(await sendAsserted(grant, token, assertion), clock)
      const preferred = learnt ?? methodFor(authMethods)
      const answer = await send(grant, token, preferred)
      const mayRetry = learnt === undefined && authMethods === undefined && preferred === 'client_secret_basic'
      if (answer.error !== 'invalid_client' || !mayRetry) return tokensOf(answer, clock)
      const second = await send(grant, token, 'client_secret_post')
      if (second.status === 200) learnt = 'client_secret_post'
      return tokensOf(second, clock)
    },
  }
}

function methodFor(authMethods: readonly string[] | undefined): AuthMethod {
  const needsPost = authMethods?.includes('client_secret_post') && !authMethods.includes('client_secret_basic')
  return needsPost ? 'client_secret_post' : 'client_secret_basic'
}

interface RawAnswer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
  readonly error: string | undefined
}

async function post(
  fetch: Fetch,
  url: string,
  { form, headers }: { form: URLSearchParams; headers: Readonly<Record<string, string>> },
): Promise<RawAnswer> {
  let response: Response
  let text: string
  try {
    const signal = AbortSignal.timeout(timeout)
    response = await fetch(url, { method: 'POST', body: form, headers, redirect: 'error', signal })
    text = await response.text()
  } catch (cause) {
    throw new GatehouseError('provider_unavailable', 'the sign-in provider does not answer', { cause })
  }
  // Some providers without OpenID Connect answer a form, whatever is asked for.
  const body = text.trimStart().startsWith('{') ? parseJsonObject(text) : Object.fromEntries(new URLSearchParams(text))
  return { status: response.status, body, error: typeof body['error'] === 'string' ? body['error'] : undefined }
}

/** What GitHub calls a code or a refresh token that is not good (any more). */
const refusedGrants = ['invalid_grant', 'bad_verification_code', 'bad_refresh_token']

function tokensOf({ status, body, error }: RawAnswer, clock: Clock): TokenAnswer {
  if (error !== undefined && refusedGrants.includes(error)) {
    throw new GatehouseError('grant_refused', 'the sign-in provider refused the grant', { detail: error })
  }
  const accessToken = body['access_token']
  if (status !== 200 || typeof accessToken !== 'string' || accessToken === '') {
    const detail = `status ${status}, error ${/^[\w.-]{1,60}$/.test(error ?? '') ? error : 'none'}`
    const code = status >= 500 ? 'provider_unavailable' : 'provider_refused'
    throw new GatehouseError(code, 'the sign-in provider refused to issue tokens', { detail })
  }
  const text = (name: string) => (typeof body[name] === 'string' && body[name] !== '' ? body[name] : undefined)
  // Azure AD also says when the token dies (`expires_on`, epoch seconds), and both as texts.
  const expiresIn = Number(body['expires_in'] ?? Number(body['expires_on']) - epochSeconds(clock))
  return {
    accessToken,
    idToken: text('id_token'),
    refreshToken: text('refresh_token'),
    expiresIn: expiresIn > 0 ? expiresIn : undefined,
  }
}

/** A JSON object, or an empty one where the text is none. */
export function parseJsonObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
