import type { DocumentPath, Problems, Source } from '../kit/problems.ts'
import type { ProxyKeyName } from '../proxy/keys.ts'
import type { Originals } from './originals.ts'
import { proxySetting } from './proxy-settings.ts'

/** Where something was written. */
export interface Place {
  readonly source: Source
  readonly path: DocumentPath
}

/** A place in Dex's configuration. */
export function placeInDex({ dex }: Originals, path: DocumentPath): Place | undefined {
  return dex && { source: dex.document.source, path }
}

/** The variables of oidc-authservice that say what a key of oauth2-proxy says. */
const authserviceNames: Partial<Readonly<Record<ProxyKeyName, string>>> = {
  oidc_issuer_url: 'OIDC_PROVIDER',
  client_id: 'CLIENT_ID',
  client_secret: 'CLIENT_SECRET',
  redirect_url: 'REDIRECT_URL',
  scope: 'OIDC_SCOPES',
}

/** Where a setting of oauth2-proxy, or of the oidc-authservice in its place, was written; else where its file begins. */
export function placeInProxy({ proxy, authservice }: Originals, key: ProxyKeyName): Place | undefined {
  if (proxy) return proxySetting(proxy, key) ?? (proxy.document && { source: proxy.document.source, path: [] })
  return authservice?.placeOf(authserviceNames[key] ?? '') ?? authservice?.placeOf('OIDC_PROVIDER')
}

/** Records an error at a place, or beside all files where there is none. */
export function tell(problems: Problems, place: Place | undefined, message: string, fix: string): void {
  problems.error(place?.source ?? { file: 'gatehouse', position: () => undefined }, place?.path ?? [], message, fix)
}

/** ` (config.yaml:12)`, to name the other side of a mismatch. */
export function seenAt(place: Place | undefined): string {
  if (!place) return ''
  const line = place.source.position(place.path)?.line
  return ` (${place.source.file}${line === undefined ? '' : `:${line}`})`
}
