import { chainExample } from '../chain-example.ts'
import type { Rule } from '../rule.ts'

const manifestsSecret = 'pUBnBOY80SnXgjibTYM9ZWNzY2xreNGQok'
const withSecret = (secret: string) =>
  Object.fromEntries(
    Object.entries(chainExample({ secret })).map(([name, text]) => [
      name,
      text.replace('secret-of-the-client', secret),
    ]),
  )

/** A secret that is committed in public manifests. */
export const publicSecretRule: Rule = {
  id: 'public-secret',
  severity: 'error',
  title: 'a secret that is committed in public manifests or guides',
  why: 'Nobody notices anything, and whoever has read Kubeflow’s manifests can forge sessions, redeem codes or sign in as `user@example.com`.',
  remedy: 'Generate your own: `openssl rand -base64 32`, the same for both sides of a client.',
  bad: withSecret(manifestsSecret),
  good: withSecret('secret-of-the-client'),
}
