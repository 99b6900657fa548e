import type { Client } from './model.ts'

/** The web origins of a client: `+` stands for those of its redirect URIs, `*` for any (WebOriginsUtils.resolveValidWebOrigins). */
export function allowedOrigins(client: Client): string[] {
  const origins = client.webOrigins.flatMap((origin) => (origin === '+' ? originsOf(client) : [origin]))
  return [...new Set(origins)]
}

function originsOf({ redirectUris, rootUrl }: Client): string[] {
  return redirectUris.flatMap((uri) => {
    const absolute = uri.startsWith('/') ? `${rootUrl ?? ''}${uri}` : uri
    const origin = /^https?:\/\/[^/?#*]+/.exec(absolute)?.[0]
    return origin === undefined ? [] : [origin]
  })
}
