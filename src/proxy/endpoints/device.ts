import { type DeviceAnswer, deviceCodeSeconds } from '../access-tokens/device-logins.ts'
import { parseTokenWish } from '../access-tokens/token-wish.ts'
import { jsonAnswer, pageAnswer } from '../answers.ts'
import type { CheckAnswer, CheckRequest } from '../check.ts'
import { type ProxyCore, queryOf } from '../core.ts'
import { grantOf } from '../login/serve-purpose.ts'
import { publicOrigin, redirectUriFor, startLogin } from '../login/start-login.ts'
import { deviceAnsweredPage, deviceDonePage, deviceGonePage, devicePage } from '../pages/access-token-pages.ts'
import { isForeignPost } from '../request-kind.ts'
import type { EndpointInput } from './endpoint.ts'

/** How often a program may ask, in seconds (RFC 8628 §3.2). */
const interval = 3

/**
 * `/oauth2/device_authorization` (RFC 8628 §3.1): a program asks for a personal access token, with the fields `label`,
 * `path` and `days`.
 */
export function deviceAuthorization({ request, form }: EndpointInput, core: ProxyCore): CheckAnswer {
  if (request.method !== 'POST') return jsonAnswer(405, { error: 'invalid_request' })
  const wish = parseTokenWish(form)
  if ('problem' in wish) return jsonAnswer(400, { error: 'invalid_request', error_description: wish.problem })
  const { deviceCode, userCode, request: link } = core.deviceLogins.begin(wish)
  const page = `${originOf(request, core)}${core.config.proxy_prefix}/device?request=${link}`
  return jsonAnswer(200, {
    device_code: deviceCode,
    user_code: userCode,
    verification_uri: page,
    verification_uri_complete: page,
    expires_in: deviceCodeSeconds,
    interval,
  })
}

/** Where browsers find us: by the configuration, where it says so. */
function originOf(request: CheckRequest, core: ProxyCore): string {
  const redirectUri = redirectUriFor(request, core)
  return redirectUri.startsWith('/') ? publicOrigin(request, core) : new URL(redirectUri).origin
}

/** `/oauth2/device`: the page behind the link, where the user allows the program or does not. */
export async function device({ request, form }: EndpointInput, core: ProxyCore): Promise<CheckAnswer> {
  const { config, assetsPath, deviceLogins } = core
  const { requestId } = request
  const isPost = request.method === 'POST'
  const link = (isPost ? form : queryOf(request.path)).get('request') ?? ''
  const asked = deviceLogins.read(link)
  if (!asked) return pageAnswer(deviceGonePage({ assetsPath, requestId }))
  const answered = (answer: DeviceAnswer) => pageAnswer(deviceAnsweredPage({ answer, assetsPath, requestId }))
  const before = await deviceLogins.answerTo(asked)
  if (before) return answered(before)
  const devicePath = `${config.proxy_prefix}/device`
  // Only who has read the page allows anything: a form of another site would skip it.
  if (!isPost || isForeignPost(request)) return pageAnswer(devicePage({ request: asked, link, devicePath, assetsPath }))
  if (form.get('answer') === 'allow') {
    return startLogin(request, core, { target: '/', purpose: { kind: 'device', request: asked } })
  }
  const faster = await deviceLogins.deny(asked)
  return faster ? answered(faster) : pageAnswer(deviceDonePage({ isAllowed: false, assetsPath }))
}

/** The errors of RFC 8628 §3.5. */
const errors = {
  pending: 'authorization_pending',
  denied: 'access_denied',
  expired: 'expired_token',
  unknown: 'invalid_request',
} as const

/** `/oauth2/device_token` (RFC 8628 §3.4): the program asks whether it may. */
export async function deviceToken({ request, form }: EndpointInput, core: ProxyCore): Promise<CheckAnswer> {
  if (request.method !== 'POST') return jsonAnswer(405, { error: 'invalid_request' })
  const { config, accessTokens, deviceLogins, clock, log } = core
  const outcome = await deviceLogins.redeem(form.get('device_code') ?? '')
  if (outcome.kind !== 'approved') return jsonAnswer(400, { error: errors[outcome.kind] })
  const { session, wish } = outcome
  const { text, token } = await accessTokens.create(session, grantOf(wish, clock.now()))
  log.info('access token created', { email: session.email, label: token.label, paths: token.paths })
  return jsonAnswer(200, {
    access_token: text,
    token_id: token.id,
    token_type: 'Bearer',
    expires_in: Math.floor((token.expiresAt - clock.now()) / 1000),
    scope: token.paths.join(' '),
    email: session.email,
    cookie_name: config.cookie_name,
  })
}
