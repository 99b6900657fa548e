import { readForm } from '../../http/forms.ts'
import type { RequestContext } from '../../http/part.ts'
import { pageResponse } from '../../http/views/page.ts'
import type { Broker } from '../broker.ts'
import { ConnectorError } from '../connectors/connector.ts'
import type { OpenConnector } from '../connectors/index.ts'
import { finishLogin } from '../finish-login.ts'
import { authQuery, type LoginState } from '../login-state.ts'
import { lookOf } from '../pages/look.ts'
import { passwordPage } from '../pages/password-page.ts'
import { errorTexts, showError } from '../show-error.ts'
import { signInByPassword } from '../sign-in-by-password.ts'
import { resumeLogin, showConnectorFailure } from './callback.ts'

/**
 * `/auth/{connector}/login?state=…` (dex server/handlers.go `handlePasswordLogin`): a form of `login` and `password`,
 * nothing hidden; what it belongs to is in the URL. A wrong password shows it again with 401.
 */
export async function handlePasswordLogin(
  broker: Broker,
  request: Request,
  { connectorId, context }: { connectorId: string; context: RequestContext },
): Promise<Response> {
  const state = new URL(request.url).searchParams.get('state') ?? ''
  const resumed = resumeLogin(broker, request, { state, connectorId, context })
  if (resumed.kind === 'refused') return resumed.response
  const { login, connector } = resumed
  if (!connector.password) return showError(broker, context, { status: 500, message: errorTexts.noResource })
  const attempt = { login, connector, state, context }
  if (request.method === 'GET') return showForm(broker, attempt, { status: 200, username: '' })
  if (request.method !== 'POST') return showError(broker, context, { status: 400, message: errorTexts.method })
  return checkForm(broker, request, attempt)
}

interface Attempt {
  readonly login: LoginState
  readonly connector: OpenConnector
  readonly state: string
  readonly context: RequestContext
}

async function checkForm(broker: Broker, request: Request, attempt: Attempt): Promise<Response> {
  const { login, connector, context } = attempt
  const form = await readForm(request)
  const username = form.get('login') ?? ''
  try {
    const outcome = await signInByPassword(broker, connector, {
      username,
      password: form.get('password') ?? '',
      context,
    })
    if (outcome.kind === 'authenticated')
      return await finishLogin(broker, request, { login, authentication: outcome, context })
    if (outcome.kind === 'refused') return showError(broker, context, { status: 403, message: errorTexts.groups })
    if (outcome.kind === 'too-many') {
      const error = `Too many attempts. Try again in ${inWords(outcome.waitSeconds)}.`
      return showForm(broker, attempt, { status: 429, username, error, retryAfter: outcome.waitSeconds })
    }
    const prompt = connector.password?.prompt ?? 'name'
    return showForm(broker, attempt, { status: 401, username, error: `Invalid ${prompt} and password.` })
  } catch (error) {
    if (!(error instanceof ConnectorError)) throw error
    return showConnectorFailure(broker, error, { connector, restart: login.request, context })
  }
}

function showForm(
  broker: Broker,
  { login, connector, state, context }: Attempt,
  { status, username, error, retryAfter }: { status: number; username: string; error?: string; retryAfter?: number },
): Promise<Response> {
  const { path } = broker.issuer
  return pageResponse(
    passwordPage({
      action: `${path}/auth/${encodeURIComponent(connector.id)}/login?${new URLSearchParams({ state })}`,
      prompt: connector.password?.prompt ?? 'Username',
      username,
      error,
      backHref: broker.connectors.length > 1 ? `${path}/auth?${authQuery(login.request)}` : undefined,
      clientName: broker.clients.get(login.request.clientId)?.name,
      ...lookOf(broker, context.requestId),
    }),
    { status, headers: retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) } },
  )
}

function inWords(seconds: number): string {
  if (seconds < 60) return seconds === 1 ? 'a second' : `${seconds} seconds`
  const minutes = Math.ceil(seconds / 60)
  return minutes === 1 ? 'a minute' : `${minutes} minutes`
}
