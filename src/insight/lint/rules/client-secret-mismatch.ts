import { chainExample } from '../chain-example.ts'
import type { Rule } from '../rule.ts'

/** Two secrets for one client. */
export const clientSecretMismatch: Rule = {
  id: 'client-secret-mismatch',
  severity: 'error',
  title: 'a client and its provider have different secrets',
  why: 'The login works up to the password; then oauth2-proxy answers 500 `invalid_client`, or Dex “failed to authenticate”.',
  remedy: 'Let both read the same Secret.',
  bad: chainExample({ secret: 'the-old-secret' }),
  good: chainExample({}),
}
