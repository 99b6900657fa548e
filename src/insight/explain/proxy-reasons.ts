import type { AskAnswer, AskRequest } from '../../gateway/ask.ts'
import { type CheckRules, type Decision, decide } from '../../proxy/check.ts'
import type { ProxyConfig } from '../../proxy/config.ts'
import { wantsJson } from '../../proxy/request-kind.ts'
import { compileRules } from '../../proxy/rules.ts'
import type { Session } from '../../proxy/session.ts'
import { textClaim, textsClaim } from './identity.ts'
import type { Situation } from './situation.ts'

/** Why the proxy answers a request as it does, by its own pure decision; `undefined` where it does not decide. */
export function whyProxyAnswers(
  { proxy, request: { identity } }: Situation,
  { request: asked, answer }: { readonly request: AskRequest; readonly answer: AskAnswer },
): string | undefined {
  if (!proxy || asked.path.startsWith(`${proxy.proxy_prefix}/`)) return undefined
  const rules = compileRules(proxy, proxy.authservice?.skipPrefixes)
  const context = { proxy, rules, asked }
  const session =
    identity?.kind === 'session' && asked.headers['cookie'] !== undefined ? sessionOf(identity.claims) : undefined
  const decision = decide(asked, session ? { kind: 'session', session } : { kind: 'none' }, rules)
  const isAllowed = answer.status === 200
  if (isAllowed === (decision.kind === 'allow')) return reasonOf(decision, context)
  if (isAllowed) return 'the request proves a session, or brings a token the proxy believes'
  return `the session is over (expired, or signed out); ${reasonOf(decide(asked, { kind: 'none' }, rules), context)}`
}

/** The session a login with these claims makes, as far as decisions look at it. */
export function sessionOf(claims: Readonly<Record<string, unknown>>): Session {
  return {
    createdAt: 0,
    email: textClaim(claims, 'email') ?? '',
    user: textClaim(claims, 'sub') ?? '',
    groups: textsClaim(claims, 'groups'),
  }
}

interface Context {
  readonly proxy: ProxyConfig
  readonly rules: CheckRules
  readonly asked: AskRequest
}

function reasonOf(decision: Decision, context: Context): string {
  switch (decision.kind) {
    case 'allow':
      return decision.session ? `the session of ${decision.session.email} is good` : skipReason(context)
    case 'login':
      return `there is no session, ${loginReason(decision.how, context)}`
    case 'denied':
      return `${decision.session.email} is signed in but may not enter: ${entryReason(decision.session, context)}`
    case 'forbidden':
      return 'the session does not meet the limits in the query (allowed_groups, allowed_emails)'
    case 'out-of-scope':
      return 'the personal access token is not for this path'
    case 'unavailable':
      return 'the session cannot be judged now'
  }
}

function skipReason({ proxy, asked: { method, path } }: Context): string {
  const alone = { ...proxy, skip_auth_preflight: false, skip_auth_routes: [], skip_auth_regex: [] }
  const skips = (changed: Partial<ProxyConfig>) => compileRules({ ...alone, ...changed }).isSkipped(method, path)
  if (proxy.skip_auth_preflight && method === 'OPTIONS') return 'exempt by `skip_auth_preflight`'
  const route = proxy.skip_auth_routes.find((entry) => skips({ skip_auth_routes: [entry] }))
  if (route !== undefined) return `exempt by the entry \`${route}\` of \`skip_auth_routes\``
  const regex = proxy.skip_auth_regex.find((entry) => skips({ skip_auth_regex: [entry] }))
  return regex === undefined ? 'the path is exempt' : `exempt by the entry \`${regex}\` of \`skip_auth_regex\``
}

function loginReason(how: 'json' | 'hint' | 'redirect' | 'page', { proxy, asked }: Context): string {
  const entry = proxy.api_routes.find((one) => compileRules({ ...proxy, api_routes: [one] }).isApiRoute(asked.path))
  switch (how) {
    case 'json':
      if (proxy.force_json_errors) return 'and `force_json_errors` asks for 401 instead of a sign-in'
      if (wantsJson(asked.headers['accept'])) return 'and `Accept: application/json` asks for 401 instead of a sign-in'
      return `and the path is an API by the entry \`${entry}\` of \`api_routes\`, so 401 instead of a sign-in`
    case 'hint':
      return 'and the request is a script’s, not a navigation (Sec-Fetch-*, X-Requested-With), so 401 with the login URL'
    case 'redirect':
      return 'and `skip_provider_button` leads straight to the sign-in (302)'
    case 'page':
      return 'so the sign-in page answers (403)'
  }
}

function entryReason(session: Session, { proxy }: Context): string {
  const allowsEveryGroup = { ...proxy, allowed_groups: [], allowed_roles: [] }
  if (compileRules(allowsEveryGroup).mayEnter(session)) {
    return `no group of \`allowed_groups\` (${proxy.allowed_groups.join(', ')})`
  }
  return `the e-mail is not of \`email_domains\` (${proxy.email_domains.join(', ')})`
}
