import { redirectTo, withFragment, withQuery } from '../../oauth/responses.ts'
import { formPostPage } from '../pages/form-post-page.ts'
import { lookOf } from '../pages/look.ts'
import { pageAnswer } from '../pages/page-answer.ts'
import type { Realm } from '../realm.ts'

/** The ways a response may travel (`response_mode`). */
export const responseModes = ['query', 'fragment', 'form_post'] as const

/** Where, and how, a client is answered. */
export interface ResponseTarget {
  readonly redirectUri: string
  /** Echoed as it came, even when empty. */
  readonly state?: string
  readonly mode: (typeof responseModes)[number]
}

/** A target; `state` may be absent. */
export function responseTarget({
  redirectUri,
  state,
  mode,
}: {
  redirectUri: string
  state: string | undefined
  mode: ResponseTarget['mode']
}): ResponseTarget {
  return { redirectUri, mode, ...(state === undefined ? {} : { state }) }
}

/** Answers the client with these parameters, by redirect or by a form that posts itself (OAuth 2.0 Form Post Response Mode). */
export async function authorizationResponse(
  realm: Realm,
  { redirectUri, mode }: ResponseTarget,
  parameters: Readonly<Record<string, string | undefined>>,
): Promise<Response> {
  if (mode === 'form_post') return pageAnswer(formPostPage({ redirectUri, parameters, ...lookOf(realm) }))
  return redirectTo(mode === 'fragment' ? withFragment(redirectUri, parameters) : withQuery(redirectUri, parameters))
}

/** Tells the client what is wrong, with `iss` as RFC 9207 asks. */
export function authorizationErrorResponse(
  realm: Realm,
  target: ResponseTarget,
  { error, description }: { error: string; description: string },
): Promise<Response> {
  return authorizationResponse(realm, target, {
    error,
    error_description: description === '' ? undefined : description,
    state: target.state,
    iss: realm.issuer,
  })
}
