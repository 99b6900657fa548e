import { chainExample } from '../chain-example.ts'
import type { Rule } from '../rule.ts'

/** A redirect URI that the other side does not know. */
export const redirectUriMismatch: Rule = {
  id: 'redirect-uri-mismatch',
  severity: 'error',
  title: 'a redirect URI that is not registered, or where nobody listens',
  why: 'The login stops with “Invalid parameter: redirect_uri” (Keycloak) or “Unregistered redirect_uri” (Dex), or comes back to a 404. Redirect URIs are compared as text.',
  remedy:
    'Register exactly what the client sends: scheme, host, port and path; Dex’s own callback is its issuer and `/callback`.',
  bad: chainExample({ redirectUri: '/oauth2/callback/' }),
  good: chainExample({}),
}
