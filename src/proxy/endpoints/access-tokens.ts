import type { AccessToken } from '../access-tokens/access-token.ts'
import { accessTokenName } from '../access-tokens/access-tokens.ts'
import { parseTokenWish } from '../access-tokens/token-wish.ts'
import { jsonAnswer, pageAnswer, redirectAnswer, textAnswer } from '../answers.ts'
import type { CheckAnswer, SessionLookup } from '../check.ts'
import type { ProxyCore } from '../core.ts'
import { startLogin } from '../login/start-login.ts'
import { accessTokensPage, type RefusedWish } from '../pages/access-token-pages.ts'
import { isForeignPost, wantsJson } from '../request-kind.ts'
import type { Session } from '../session.ts'
import type { EndpointInput } from './endpoint.ts'

/**
 * `/oauth2/tokens`: a user's personal access tokens, for people as a page, for programs as JSON. POST with `revoke`
 * revokes one, without it begins the sign-in that a new one stands on. A token may list and revoke, but makes no other;
 * one that is limited to paths knows no other either.
 */
export async function accessTokens({ request, form, lookUp }: EndpointInput, core: ProxyCore): Promise<CheckAnswer> {
  const { config, rules } = core
  const tokensPath = `${config.proxy_prefix}/tokens`
  const isProgram = wantsJson(request.headers['accept'])
  const lookup = await lookUp()
  if (lookup.kind === 'unavailable') return textAnswer(503, 'Service Unavailable')
  const session = lookup.kind === 'session' && rules.mayEnter(lookup.session) ? lookup.session : undefined
  if (!session?.email) return isProgram ? jsonAnswer(401, {}) : startLogin(request, core, { target: tokensPath })
  const knows = knownBy(lookup)
  if (request.method !== 'POST') return listed(session, core, { isProgram, knows })
  if (isForeignPost(request)) return textAnswer(403, 'Forbidden')
  const id = form.get('revoke')
  if (id !== null && !knows(id)) return jsonAnswer(403, { error: 'insufficient_scope' })
  if (id !== null) return revoked(session, core, { id, isProgram })
  if (session.scope) return jsonAnswer(403, { error: 'insufficient_scope' })
  const wish = parseTokenWish(form)
  if ('problem' in wish) return listed(session, core, { isProgram, knows, refused: { form, problem: wish.problem } })
  return startLogin(request, core, { target: tokensPath, purpose: { kind: 'access-token', wish } })
}

/** Which tokens, by their ids, whoever asks has to do with. */
function knownBy(lookup: SessionLookup): (id: string) => boolean {
  if (lookup.kind !== 'session' || lookup.session.scope?.includes('/') !== false) return () => true
  return (id) => lookup.names?.ids.includes(accessTokenName(id)) ?? false
}

async function listed(
  owner: Session,
  { config, accessTokens: tokens, assetsPath, clock }: ProxyCore,
  { isProgram, knows, refused }: { isProgram: boolean; knows: (id: string) => boolean; refused?: RefusedWish },
): Promise<CheckAnswer> {
  const found = (await tokens.list(owner)).filter(({ id }) => knows(id))
  if (isProgram) return refused ? jsonAnswer(400, { error: refused.problem }) : jsonAnswer(200, found.map(shown))
  const tokensPath = `${config.proxy_prefix}/tokens`
  return pageAnswer(
    accessTokensPage({ who: owner.email ?? '', tokens: found, now: clock.now(), tokensPath, assetsPath, refused }),
  )
}

function shown({ id, label, paths, createdAt, expiresAt, usedAt }: AccessToken): object {
  const time = (at: number | undefined) => (at === undefined ? undefined : new Date(at).toISOString())
  return { id, label, paths, created: time(createdAt), expires: time(expiresAt), used: time(usedAt) }
}

async function revoked(
  owner: Session,
  { config, accessTokens: tokens, log }: ProxyCore,
  { id, isProgram }: { id: string; isProgram: boolean },
): Promise<CheckAnswer> {
  const wasThere = await tokens.revoke(owner, id)
  if (wasThere) log.info('access token revoked', { email: owner.email, id })
  if (isProgram) return wasThere ? jsonAnswer(200, {}) : jsonAnswer(404, { error: 'no such token' })
  return redirectAnswer(`${config.proxy_prefix}/tokens`, [], 303)
}
