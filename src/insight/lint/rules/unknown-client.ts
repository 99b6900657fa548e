import { chainExample } from '../chain-example.ts'
import type { Rule } from '../rule.ts'

/** A client id that the other side does not have. */
export const unknownClient: Rule = {
  id: 'unknown-client',
  severity: 'error',
  title: 'a client id that Dex or the realm does not have',
  why: 'The login page says “Invalid client_id” (Dex) or “Client not found” (Keycloak) before anybody can sign in.',
  remedy: 'Register the client there, or correct the id.',
  bad: chainExample({ clientId: 'kubflow' }),
  good: chainExample({}),
}
