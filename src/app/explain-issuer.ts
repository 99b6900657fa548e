import { generateKeyPairSync } from 'node:crypto'
import type { Fetch } from '../http/part.ts'
import { type Clock, epochSeconds } from '../kit/clock.ts'
import { groupsOfAccount } from '../proxy/kubernetes/account-tokens.ts'
import { publicJwk } from '../tokens/jwk.ts'
import type { JsonObject } from '../tokens/jwt.ts'
import { parseJwt } from '../tokens/jwt.ts'
import { signJwt } from '../tokens/sign.ts'

/** Stands in for every issuer a chain trusts, for as long as an explanation lasts: nothing it signs is good elsewhere. */
export interface ExplainIssuer {
  sign(claims: JsonObject): Promise<string>
  /** Its key set, for rules with keys of their own. */
  readonly keySet: { readonly keys: readonly object[] }
  /** Answers discovery and key requests of any issuer, and an API server's reviews of tokens; nothing goes out. */
  readonly fetch: Fetch
}

const kid = 'explain'

/** Opens an issuer with a key of its own. */
export function openExplainIssuer(clock: Clock): ExplainIssuer {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const key = { kid, alg: 'ES256', privateKey }
  const keySet = { keys: [publicJwk(privateKey, key)] }
  return {
    sign: (claims) => signJwt({ jti: `explain-${epochSeconds(clock)}`, ...claims }, key),
    keySet,
    async fetch(input, init) {
      const url = String(input instanceof Request ? input.url : input)
      if (url.endsWith('/tokenreviews')) return Response.json(review(String(init?.body)))
      const at = url.indexOf('/.well-known/openid-configuration')
      return Response.json(at < 0 ? keySet : discovery(url.slice(0, at)))
    },
  }
}

/** An API server that knows every account. */
function review(body: string) {
  const { spec } = JSON.parse(body) as { spec: { token: string; audiences: readonly string[] } } // made by our own proxy
  const jwt = parseJwt(spec.token)
  const username = 'claims' in jwt ? String(jwt.claims['sub']) : ''
  const user = { username, groups: groupsOfAccount(username) }
  return { status: { authenticated: true, user, audiences: spec.audiences } }
}

/** Endpoints as Keycloak and Dex name theirs. */
function discovery(issuer: string) {
  const base = issuer.includes('/realms/') ? `${issuer}/protocol/openid-connect` : issuer
  return {
    issuer,
    authorization_endpoint: `${base}/auth`,
    token_endpoint: `${base}/token`,
    jwks_uri: `${base}/${issuer.includes('/realms/') ? 'certs' : 'keys'}`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256'],
  }
}
