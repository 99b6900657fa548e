import { readFile } from 'node:fs/promises'
import { GatehouseError } from '../../../kit/errors.ts'
import type { JsonObject } from '../../../tokens/jwt.ts'
import type { ProviderOptions } from '../../alpha/provider-options.ts'
import type { Session } from '../../session.ts'
import { listAt, memberAt, textAt } from '../api.ts'
import { bearerHeaders, type EnrichTools, type ProviderKind } from '../kind.ts'

const groupsUrl = 'https://graph.microsoft.com/v1.0/me/transitiveMemberOf?$select=id&$top=100'

/** Set by Azure's workload identity webhook, beside the token it projects. */
const federatedTokenVariable = 'AZURE_FEDERATED_TOKEN_FILE'

/** Microsoft Entra ID, one tenant or many (oauth2-proxy providers/ms_entra_id.go). */
export const entraId: ProviderKind = {
  title: 'Microsoft Entra ID',
  about: 'Microsoft Entra ID; for several tenants skip the issuer check and list the tenants',
  protocol: 'oidc',
  keys: ['entra_id_allowed_tenants', 'entra_id_federated_token_auth'],
  // Entra refuses a login that asks for a `groups` scope; groups are set up in the app registration.
  defaults: { scope: 'openid email profile' },
  tokenHeaders: bearerHeaders,
  clientAssertion({ microsoftEntraIDConfig }) {
    if (!microsoftEntraIDConfig.federatedTokenAuth) return undefined
    return async () => {
      const file = process.env[federatedTokenVariable] ?? ''
      return (
        await readFile(file, 'utf8').catch((cause: unknown) => {
          const message = `the federated token cannot be read: ${federatedTokenVariable} is \`${file}\``
          throw new GatehouseError('provider_refused', message, { cause })
        })
      ).trim()
    }
  },
  identify(session, claims, options) {
    checkTenant(claims, options)
    return session
  },
  async enrich(session, tools) {
    // With more groups than fit into a token Entra only says where they are (“overage”).
    const isOverage = memberAt(tools.claims, '_claim_names', 'groups') !== undefined
    return isOverage ? { ...session, groups: await groupsOf(session, tools) } : session
  },
}

/**
 * The issuer names the tenant. Where it is left unverified, so that many tenants may sign in, it must still be one of
 * Microsoft's and name the tenant of the token itself.
 */
function checkTenant(claims: JsonObject, { microsoftEntraIDConfig, oidcConfig }: ProviderOptions): void {
  const { allowedTenants } = microsoftEntraIDConfig
  const issuer = String(claims['iss'] ?? '')
  const tenant = /^https:\/\/login\.microsoftonline\.com\/([a-zA-Z0-9-]+)\/v2\.0$/.exec(issuer)?.[1]
  const isChecked = !oidcConfig.insecureSkipIssuerVerification
  if (tenant === undefined && isChecked && allowedTenants.length === 0) return // one tenant of a national cloud
  const tid = claims['tid']
  if (tenant === undefined || (tid !== undefined && tid !== tenant)) {
    throw new GatehouseError('provider_refused', 'the ID token is not from an Entra ID tenant', { detail: 'issuer' })
  }
  if (allowedTenants.length > 0 && !allowedTenants.includes(tenant)) {
    throw new GatehouseError('not_admitted', `the account belongs to tenant \`${tenant}\`, which is not allowed`)
  }
}

/** Without Graph the groups of the token stand: who needs another one is refused. */
async function groupsOf(session: Session, { api, log }: EnrichTools): Promise<readonly string[]> {
  const headers = { ...bearerHeaders(session.accessToken ?? ''), consistencylevel: 'eventual' }
  const known = session.groups ?? []
  try {
    const pages = await api.pages(groupsUrl, { headers, next: (page) => textAt(page, '@odata.nextLink') })
    const found = pages.flatMap((page) => listAt(page, 'value')).flatMap((group) => textAt(group, 'id') ?? [])
    return [...new Set([...known, ...found])]
  } catch (cause) {
    log.warn('Microsoft Graph did not tell the groups', { cause })
    return known
  }
}
