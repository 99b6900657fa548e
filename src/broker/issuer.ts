/** The issuer's URL and the paths under it. */
export interface Issuer {
  /** As configured, with or without a trailing slash: the `iss` of every token. */
  readonly url: string
  /** Base path of every endpoint, no trailing slash: `/dex`, or empty. */
  readonly path: string
  readonly isSecure: boolean
  /** `/token` → `https://host/dex/token` */
  absolute(path: string): string
}

/** Dex cleans the path of its endpoints and leaves `iss` alone (dex server/oauth2/issuer.go). */
export function openIssuer(url: string): Issuer {
  const { origin, pathname, protocol } = new URL(url)
  const path = pathname.replace(/\/+/g, '/').replace(/\/$/, '')
  return { url, path, isSecure: protocol === 'https:', absolute: (suffix) => `${origin}${path}${suffix}` }
}
