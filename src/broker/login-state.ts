import { createHash, createHmac } from 'node:crypto'
import type { Clock } from '../kit/clock.ts'
import { type Random, randomText } from '../kit/random.ts'
import { openStateSealer } from '../oidc/sealed-state.ts'
import type { AuthRequest } from './auth-request.ts'
import type { LoginAttempt } from './connectors/connector.ts'

/** A sign-in under way: nothing of it is stored, all of it travels in the `state` parameter, encrypted. */
export interface LoginState {
  readonly request: AuthRequest
  readonly connectorId: string
  /** Hash of the cookie of the browser that started it. */
  readonly browser: string
  /** Names this attempt, so that it can be finished once only. */
  readonly attemptId: string
}

/** Seals and opens sign-ins under way. */
export interface LoginStates {
  begin(request: AuthRequest, options: { connectorId: string; browserCookie: string }): string
  /** `undefined` where the text was altered or is too old. */
  open(state: string): LoginState | undefined
  isFrom(login: LoginState, browserCookies: readonly string[]): boolean
  attempt(login: LoginState, state: string): LoginAttempt
}

/** The same secret opens on every replica, and after a restart, what any of them sealed. `lifetime` in milliseconds. */
export function openLoginStates({
  secret,
  lifetime,
  clock,
  random,
}: {
  secret: string
  lifetime: number
  clock: Clock
  random: Random
}): LoginStates {
  const sealer = openStateSealer({ secret, purpose: 'broker login', clock, random })
  return {
    begin(request, { connectorId, browserCookie }) {
      const login = { request, connectorId, browser: hashOf(browserCookie), attemptId: randomText(random, 16) }
      return sealer.seal(pack(login), lifetime)
    },
    open(state) {
      const packed = sealer.open(state)
      return packed === undefined ? undefined : unpack(packed as Packed) // sealed by us
    },
    isFrom: ({ browser }, cookies) => isOfBrowser(browser, cookies),
    attempt: ({ request, attemptId }, state) => ({
      state,
      scopes: {
        offlineAccess: request.scopes.includes('offline_access'),
        isOwnSession: request.isOwnSession,
        groups: request.scopes.includes('groups'),
      },
      secretFor: (use) =>
        createHmac('sha256', secret).update(`gatehouse broker attempt\0${use}\0${attemptId}`).digest('base64url'),
    }),
  }
}

/** Whether one of the cookies is that of the browser whose hash this is. */
export function isOfBrowser(browser: string, cookies: readonly string[]): boolean {
  return cookies.some((cookie) => hashOf(cookie) === browser)
}

const flags = { forceApproval: 1, isOwnSession: 2 }

/** A list rather than an object: it goes into a URL. */
type Packed = readonly [
  clientId: string,
  redirectUri: string,
  scopes: string,
  state: string,
  nonce: string,
  responseTypes: string,
  challenge: string,
  method: '' | 'S256' | 'plain',
  flags: number,
  connectorId: string,
  browser: string,
  attemptId: string,
]

function pack({ request, connectorId, browser, attemptId }: LoginState): Packed {
  const { clientId, redirectUri, scopes, state, nonce, responseTypes, challenge } = request
  return [
    clientId,
    redirectUri,
    scopes.join(' '),
    state,
    nonce,
    responseTypes.join(' '),
    challenge?.challenge ?? '',
    challenge?.method ?? '',
    (request.forceApproval ? flags.forceApproval : 0) | (request.isOwnSession ? flags.isOwnSession : 0),
    connectorId,
    browser,
    attemptId,
  ]
}

function unpack(packed: Packed): LoginState {
  const [
    clientId,
    redirectUri,
    scopes,
    state,
    nonce,
    types,
    challenge,
    method,
    flagged,
    connectorId,
    browser,
    attemptId,
  ] = packed
  return {
    request: {
      clientId,
      redirectUri,
      scopes: scopes.split(' '),
      state,
      nonce,
      responseTypes: types.split(' '),
      ...(method === '' ? {} : { challenge: { challenge, method } }),
      forceApproval: (flagged & flags.forceApproval) !== 0,
      isOwnSession: (flagged & flags.isOwnSession) !== 0,
    },
    connectorId,
    browser,
    attemptId,
  }
}

/** The same request as the query of an authorization URL, to start over with. */
export function authQuery({ challenge, ...request }: AuthRequest): string {
  const query = new URLSearchParams({
    client_id: request.clientId,
    redirect_uri: request.redirectUri,
    response_type: request.responseTypes.join(' '),
    scope: request.scopes.join(' '),
  })
  if (request.state !== '') query.set('state', request.state)
  if (request.nonce !== '') query.set('nonce', request.nonce)
  if (challenge) {
    query.set('code_challenge', challenge.challenge)
    query.set('code_challenge_method', challenge.method)
  }
  if (request.forceApproval) query.set('approval_prompt', 'force')
  if (request.isOwnSession) query.set('offline_session', 'own')
  return query.toString()
}

function hashOf(cookie: string): string {
  return createHash('sha256').update(cookie).digest().subarray(0, 16).toString('base64url')
}
