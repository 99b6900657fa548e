import { assertNever } from '../kit/errors.ts'
import { allowAnswer, challenge, jsonAnswer, pageAnswer, textAnswer } from './answers.ts'
import type { CheckAnswer, CheckRequest, Decision } from './check.ts'
import type { ProxyCore } from './core.ts'
import { denySession } from './deny-session.ts'
import { signInAnswer } from './endpoints/sign-in.ts'
import { targetOf } from './endpoints/target-of.ts'
import { startLogin } from './login/start-login.ts'
import { deniedPage } from './pages/notice-pages.ts'

type Answer = CheckAnswer | Promise<CheckAnswer>

/** A decision as the answer that goes to the gateway or the client. */
export function renderDecision(request: CheckRequest, decision: Decision, core: ProxyCore): Answer {
  switch (decision.kind) {
    case 'allow': {
      const { session } = decision
      return core.forwarded(allowAnswer(session ? core.identityHeaders(session) : []), session)
    }
    case 'forbidden':
      return textAnswer(403, 'Forbidden')
    case 'out-of-scope':
      return jsonAnswer(403, { error: 'insufficient_scope' }, challenge(core.config, 'insufficient_scope'))
    case 'unavailable':
      return textAnswer(503, 'Service Unavailable')
    case 'denied':
      return denied(request, decision, core)
    case 'login':
      return login(request, decision, core)
    default:
      return assertNever(decision)
  }
}

async function denied(
  request: CheckRequest,
  { how, session }: Decision & { kind: 'denied' },
  core: ProxyCore,
): Promise<CheckAnswer> {
  const { config, rules, assetsPath } = core
  const cleared = await denySession(request, session, core)
  if (how === 'json') return jsonAnswer(403, {}, cleared)
  const who = session.email ?? session.user ?? ''
  const signOutPath = `${config.proxy_prefix}/sign_out`
  const { requestId } = request
  return pageAnswer(deniedPage({ who, why: rules.whyNot(session), signOutPath, assetsPath, requestId }), cleared)
}

function login(request: CheckRequest, { how, error }: Decision & { kind: 'login' }, core: ProxyCore): Answer {
  const { config, provider } = core
  const startPath = `${config.proxy_prefix}/start`
  if (how === 'json') return jsonAnswer(401, {}, challenge(config, error))
  const hint = { error: 'login_required', login_url: startPath }
  if (how === 'hint') return jsonAnswer(401, hint, challenge(config))
  const target = targetOf(request, new URLSearchParams(), core)
  if (how === 'page' || provider.choices.length > 1) return signInAnswer(request, core, { target, status: 403 })
  return hasReadableQuery(request.path) ? startLogin(request, core, { target }) : textAnswer(400, 'Bad Request')
}

/** Whether Go could parse the query: the original answers 400 for one it cannot. */
function hasReadableQuery(path: string): boolean {
  return !path.includes('?') || !/%(?![0-9A-Fa-f]{2})/.test(path)
}
