import { allowedOrigins } from '../web-origins.ts'
import type { Mapper } from './mapper.ts'

/** `oidc-allowed-origins-mapper`: the origins of pages that may use the token. */
export const allowedOriginsMapper: Mapper = {
  isInAccessTokenByDefault: true,
  map(claims, _config, { client }) {
    const origins = allowedOrigins(client)
    if (origins.length > 0) claims['allowed-origins'] = origins
  },
}
