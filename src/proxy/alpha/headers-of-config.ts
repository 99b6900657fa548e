import type { ProxyConfig } from '../typed-config.ts'
import type { AlphaInput } from './alpha-options.ts'

type Header = NonNullable<AlphaInput['injectRequestHeaders']>[number]
type ClaimSource = NonNullable<NonNullable<Header['values']>[number]['claimSource']>

/** The headers that flat keys ask for (oauth2-proxy pkg/apis/options/legacy_options.go, `LegacyHeaders.convert`). */
export function headersOfConfig(
  config: ProxyConfig,
): Required<Pick<AlphaInput, 'injectRequestHeaders' | 'injectResponseHeaders'>> {
  const preserveRequestValue = !config.skip_auth_strip_headers
  return {
    injectRequestHeaders: requestHeaders(config).map((header) => ({ ...header, preserveRequestValue })),
    injectResponseHeaders: responseHeaders(config),
  }
}

function requestHeaders(config: ProxyConfig): Header[] {
  const { pass_basic_auth: passBasic, pass_user_headers: passUser, prefer_email_to_user: prefersEmail } = config
  const users: Header[] = [
    header('X-Forwarded-Groups', 'groups'),
    ...(prefersEmail
      ? [header('X-Forwarded-User', 'email')]
      : [header('X-Forwarded-User', 'user'), header('X-Forwarded-Email', 'email')]),
    header('X-Forwarded-Preferred-Username', 'preferred_username'),
  ]
  return [
    ...(passBasic && config.basic_auth_password !== '' ? [basicHeader(config)] : []),
    ...(passBasic || passUser ? users : []),
    ...(config.pass_access_token ? [header('X-Forwarded-Access-Token', 'access_token')] : []),
    ...(config.pass_authorization_header ? [bearerHeader] : []),
  ]
}

function responseHeaders(config: ProxyConfig): Header[] {
  const users = [
    header('X-Auth-Request-User', 'user'),
    header('X-Auth-Request-Email', 'email'),
    header('X-Auth-Request-Preferred-Username', 'preferred_username'),
    header('X-Auth-Request-Groups', 'groups'),
    ...(config.pass_access_token ? [header('X-Auth-Request-Access-Token', 'access_token')] : []),
  ]
  return [
    ...(config.set_xauthrequest ? users : []),
    ...(config.set_basic_auth ? [basicHeader(config)] : []),
    ...(config.set_authorization_header ? [bearerHeader] : []),
  ]
}

const bearerHeader = header('Authorization', 'id_token', { prefix: 'Bearer ' })

function basicHeader({ prefer_email_to_user: prefersEmail, basic_auth_password: value }: ProxyConfig): Header {
  return header('Authorization', prefersEmail ? 'email' : 'user', { prefix: 'Basic ', basicAuthPassword: { value } })
}

function header(name: string, claim: string, more: Omit<ClaimSource, 'claim'> = {}): Header {
  return { name, values: [{ claimSource: { claim, ...more } }] }
}
