import type { HeaderOptions, HeaderValueOptions } from './alpha/alpha-options.ts'
import { readSecret } from './alpha/secret-source.ts'
import { headerValue, joinedHeaderValue, secretHeaderValue } from './header-values.ts'
import type { Session } from './session.ts'

/** Name, value, … of headers made from a session; names in lower case, none without a value. */
export type InjectedHeaders = (session: Session | undefined) => string[]

/**
 * Compiles `injectRequestHeaders` or `injectResponseHeaders` (oauth2-proxy pkg/header/injector.go): values of one header
 * are joined by commas, empty claims are left out. Secrets are read once.
 * @throws GatehouseError `config` for a secret that cannot be had.
 */
export function compileInjectedHeaders(headers: readonly HeaderOptions[]): InjectedHeaders {
  const compiled = headers.map(({ name, values }) => ({ name: name.toLowerCase(), values: values.map(compileValue) }))
  return (session) => {
    const flat: string[] = []
    for (const { name, values } of compiled) {
      const texts = values.map((read) => read(session))
      const value = texts.length === 1 ? texts[0] : texts.filter((one) => one !== '').join(',')
      if (value) flat.push(name, value)
    }
    return flat
  }
}

function compileValue({ claimSource, secretSource }: HeaderValueOptions): (session: Session | undefined) => string {
  if (!claimSource) {
    const secret = secretSource ? secretHeaderValue(readSecret(secretSource)) : ''
    return () => secret
  }
  const { claim, prefix, basicAuthPassword } = claimSource
  const password = basicAuthPassword && readSecret(basicAuthPassword)
  const written = (value: string) =>
    password === undefined ? prefix + value : `Basic ${Buffer.from(`${value}:${password}`, 'utf8').toString('base64')}`
  return (session) => {
    const value = session && claimOf(session, claim)
    if (value === undefined || value === '') return ''
    return typeof value === 'string'
      ? headerValue(written(value))
      : joinedHeaderValue(value.filter(Boolean).map(written))
  }
}

/** A claim of the session under the original's name (pkg/apis/sessions/session_state.go `GetClaim`). */
function claimOf(session: Session, claim: string): string | readonly string[] | undefined {
  switch (claim) {
    case 'access_token':
      return session.accessToken
    case 'id_token':
      return session.idToken
    case 'refresh_token':
      return session.refreshToken
    case 'created_at':
      return new Date(session.createdAt).toISOString()
    case 'expires_on':
      return session.expiresAt === undefined ? undefined : new Date(session.expiresAt).toISOString()
    case 'email':
      return session.email
    case 'user':
      return session.user
    case 'groups':
      return session.groups
    case 'preferred_username':
      return session.preferredUsername
    default:
      return additionalClaim(session.additionalClaims?.[claim])
  }
}

function additionalClaim(value: unknown): string | readonly string[] | undefined {
  if (value === undefined || value === null) return undefined
  return Array.isArray(value) ? value.map(textOf) : textOf(value)
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
