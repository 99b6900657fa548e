import { createHash } from 'node:crypto'
import { randomText } from '../../kit/random.ts'
import { loginPage } from '../pages/login-page.ts'
import { lookOf } from '../pages/look.ts'
import { pageAnswer } from '../pages/page-answer.ts'
import type { Realm } from '../realm.ts'
import type { AuthorizationRequest } from './authorization-request.ts'
import { browserHash, browserId, newBrowserId, realmCookie } from './cookies.ts'

/** A login under way, sealed into its form: nothing of it is stored. */
export interface LoginUnderWay {
  readonly request: AuthorizationRequest
  /** The hash of the browser id the form was given to. */
  readonly browser: string
  /** Milliseconds since the epoch. */
  readonly startedAt: number
}

const restartLifetimeMs = 12 * 3600 * 1000
const maxCookieLength = 3800

/** Answers with the login form of a checked authorization request. */
export async function loginForm(
  realm: Realm,
  request: Request,
  {
    authorization,
    startedAt = realm.clock.now(),
    username = authorization.loginHint ?? '',
    isRemembered = false,
    ...messages
  }: {
    authorization: AuthorizationRequest
    startedAt?: number
    username?: string
    isRemembered?: boolean
    error?: string
    notice?: string
  },
): Promise<Response> {
  const known = browserId(request)
  const browser = known === undefined ? newBrowserId(realm) : { id: known, cookie: undefined }
  const { settings } = realm.model
  const client = realm.model.clients.get(authorization.clientId)
  const state: LoginUnderWay = { request: authorization, browser: browserHash(browser.id), startedAt }
  const markup = loginPage({
    ...lookOf(realm),
    clientName: client?.name ?? authorization.clientId,
    action: formAction(realm, state),
    username,
    canRemember: settings.rememberMe,
    isRemembered,
    canUseEmail: settings.loginWithEmailAllowed,
    ...messages,
  })
  const cookies = [browser.cookie, restartCookie(realm, authorization)].filter((cookie) => cookie !== undefined)
  return pageAnswer(markup, { cookies })
}

function formAction(realm: Realm, state: LoginUnderWay): string {
  const query = new URLSearchParams({
    session_code: realm.loginSealer.seal(state, realm.model.settings.accessCodeLifespanLogin * 1000),
    execution: executionId(realm),
    client_id: state.request.clientId,
    tab_id: randomText(realm.random, 8),
  })
  return `${realm.issuer}/login-actions/authenticate?${query}`
}

/** Keycloak names the step of its flow here; ours has one, so the name only has to stay the same. */
function executionId(realm: Realm): string {
  const hex = createHash('sha256').update(`execution ${realm.model.id}`).digest('hex')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5')
}

function restartCookie(realm: Realm, request: AuthorizationRequest): string | undefined {
  const sealed = realm.restartSealer.seal(request, restartLifetimeMs)
  return sealed.length > maxCookieLength ? undefined : realmCookie(realm, 'KC_RESTART', sealed)
}
