import { RE2JS } from 're2js'
import { challengeOf } from '../../oauth/pkce.ts'
import type { ProviderOptions } from '../alpha/provider-options.ts'
import { hashOf, type PendingLogin } from '../login/csrf-cookie.ts'
import type { ProviderKind } from './kind.ts'
import type { AuthorizationRequest } from './provider.ts'

/** The parameters of an authorization request. */
export type AuthorizationParameters = (login: PendingLogin, request: AuthorizationRequest) => Record<string, string>

/**
 * Compiles how a provider is asked to sign someone in (oauth2-proxy providers/util.go `makeLoginURL`). PKCE and, from
 * OpenID providers, a nonce are sent always: none of them may refuse a parameter it does not know (RFC 6749 §3.1). With
 * `isStrict` only where they are configured, as the original does.
 */
export function compileAuthorizationRequest(
  options: ProviderOptions,
  { kind, isStrict }: { kind: ProviderKind; isStrict: boolean },
): AuthorizationParameters {
  const { code_challenge_method: method, oidcConfig, authRequestResponseMode } = options
  const isOidc = kind.protocol === 'oidc'
  const challenges = usesPkce(options, { kind, isStrict })
  const sendsNonce = isOidc && (!isStrict || !oidcConfig.insecureSkipNonce)
  const loginParameters = compileLoginParameters(options)

  return (login, { state, redirectUri, withoutPrompt, wishes, isOffline }) => {
    const isPlain = method === 'plain'
    const parameters = new URLSearchParams({
      client_id: options.clientID,
      redirect_uri: redirectUri,
      response_type: 'code',
      scope: isOffline ? withOfflineAccess(options.scope) : options.scope,
      // asks our broker for a sign-in that the browser's sign-out does not end; others ignore what they do not know
      ...(isOffline ? { offline_session: 'own' } : {}),
      state,
      ...(challenges
        ? {
            code_challenge: isPlain ? login.codeVerifier : challengeOf(login.codeVerifier),
            code_challenge_method: isPlain ? 'plain' : 'S256',
          }
        : {}),
      ...(sendsNonce ? { nonce: hashOf(login.nonce) } : {}),
      ...(authRequestResponseMode === '' ? {} : { response_mode: authRequestResponseMode }),
      ...loginParameters(wishes ?? new URLSearchParams()),
    })
    if (withoutPrompt) parameters.delete('prompt')
    kind.authorize?.(parameters, options)
    return Object.fromEntries(parameters)
  }
}

/** The scope that makes a sign-in outlast the browser's (OpenID Connect Core §11). */
function withOfflineAccess(scope: string): string {
  return scope.split(' ').includes('offline_access') ? scope : `${scope} offline_access`
}

/** Whether a login proves by PKCE that it redeems its own code (RFC 7636). */
export function usesPkce(
  { code_challenge_method: method }: ProviderOptions,
  { kind, isStrict }: { kind: ProviderKind; isStrict: boolean },
): boolean {
  return method !== '' || (kind.protocol === 'oidc' && !isStrict)
}

/** `loginURLParameters`: what is sent by default, and what `/oauth2/start?name=value` may choose instead. */
function compileLoginParameters({ loginURLParameters }: ProviderOptions) {
  const compiled = loginURLParameters.map(({ name, default: values, allow }) => {
    const patterns = allow.map(({ value, pattern }) =>
      value === undefined ? `(?:${pattern ?? ''})` : `^${RE2JS.quote(value)}$`,
    )
    return { name, values, allowed: patterns.length === 0 ? undefined : RE2JS.compile(patterns.join('|')) }
  })
  return (wishes: URLSearchParams): Record<string, string> => {
    const chosen = compiled.map(({ name, values, allowed }) => {
      const wished = allowed ? wishes.getAll(name).filter((value) => allowed.matcher(value).find()) : []
      // Of several values one is sent: an authorization request may not repeat a parameter (RFC 6749 §3.1).
      return [name, (wished.length > 0 ? wished : values)[0] ?? ''] as const
    })
    return Object.fromEntries(chosen.filter(([, value]) => value !== ''))
  }
}
