import type { ProviderKind } from './kind.ts'
import { adfs } from './kinds/adfs.ts'
import { azure } from './kinds/azure.ts'
import { bitbucket } from './kinds/bitbucket.ts'
import { cidaas } from './kinds/cidaas.ts'
import { digitalocean } from './kinds/digitalocean.ts'
import { entraId } from './kinds/entra-id.ts'
import { facebook } from './kinds/facebook.ts'
import { github } from './kinds/github.ts'
import { gitlab } from './kinds/gitlab.ts'
import { google } from './kinds/google.ts'
import { keycloak } from './kinds/keycloak.ts'
import { keycloakOidc } from './kinds/keycloak-oidc.ts'
import { linkedin } from './kinds/linkedin.ts'
import { loginGov } from './kinds/login-gov.ts'
import { nextcloud } from './kinds/nextcloud.ts'
import { oidc } from './kinds/oidc.ts'
import { sourcehut } from './kinds/sourcehut.ts'

/** Every kind of provider, by the name a configuration calls it. A new one is a file and a row. */
export const providerKinds: Readonly<Record<string, ProviderKind>> = {
  adfs,
  azure,
  bitbucket,
  cidaas,
  digitalocean,
  'entra-id': entraId,
  facebook,
  github,
  gitlab,
  google,
  keycloak,
  'keycloak-oidc': keycloakOidc,
  linkedin,
  'login.gov': loginGov,
  nextcloud,
  oidc,
  sourcehut,
}
