import type { AlphaOptions } from '../alpha/alpha-options.ts'
import type { Session } from '../session.ts'
import type { ProxyConfig } from '../typed-config.ts'

/** Compiles what takes from a session the tokens no header tells of: they are most of what it takes to remember it. */
export function compileReadTokens(
  { injectRequestHeaders, injectResponseHeaders }: Pick<AlphaOptions, 'injectRequestHeaders' | 'injectResponseHeaders'>,
  { authservice }: Pick<ProxyConfig, 'authservice'>,
): (session: Session) => Session {
  const values = [...injectRequestHeaders, ...injectResponseHeaders].flatMap((header) => header.values)
  const claims = new Set(values.map(({ claimSource }) => claimSource?.claim))
  const isRead = {
    accessToken: claims.has('access_token'),
    idToken: claims.has('id_token') || authservice !== undefined,
    refreshToken: claims.has('refresh_token'),
  }
  return ({ accessToken, idToken, refreshToken, nonce: _neverRead, ...session }) => ({
    ...session,
    ...(isRead.accessToken && accessToken !== undefined ? { accessToken } : {}),
    ...(isRead.idToken && idToken !== undefined ? { idToken } : {}),
    ...(isRead.refreshToken && refreshToken !== undefined ? { refreshToken } : {}),
  })
}
