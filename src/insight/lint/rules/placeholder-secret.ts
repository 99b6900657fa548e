import { chainExample } from '../chain-example.ts'
import type { Rule } from '../rule.ts'

/** A text that stands where a secret belongs. */
export const placeholderSecret: Rule = {
  id: 'placeholder-secret',
  severity: 'error',
  title: 'a secret that is a stand-in: `CHANGEME`, an empty text, an unset variable, the mask of a Keycloak export',
  why: 'Either both sides were started with it, and everyone can guess it; or one side was, and every login ends with `invalid_client`. Keycloak imports the `**********` of its own exports as if it were the secret.',
  remedy: 'Generate a secret: `openssl rand -base64 32`, the same for both sides of a client.',
  bad: chainExample({ secret: 'CHANGEME' }),
  good: chainExample({}),
}
