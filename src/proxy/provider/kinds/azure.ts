import { type JsonObject, parseJwt } from '../../../tokens/jwt.ts'
import type { ProviderOptions } from '../../alpha/provider-options.ts'
import type { Session } from '../../session.ts'
import { listAt, textAt } from '../api.ts'
import { claimText, claimTexts } from '../claims.ts'
import { bearerHeaders, type EnrichTools, type ProviderKind } from '../kind.ts'

const cloud = 'https://login.microsoftonline.com'
const graph = 'https://graph.microsoft.com/v1.0/me'

/** Azure AD (oauth2-proxy providers/azure.go). Deprecated there in favour of `entra-id`. */
export const azure: ProviderKind = {
  title: 'Azure',
  about: 'Azure AD, groups by Microsoft Graph with its v2.0 endpoints; prefer `entra-id`',
  protocol: 'oidc',
  keys: ['azure_tenant', 'azure_graph_group_field', 'resource'],
  defaults: { profileURL: graph, scope: 'openid' },
  clientAuth: 'client_secret_post',
  tokenHeaders: bearerHeaders,
  settle(options) {
    const tenant = options.azureConfig.tenant || 'common'
    const settled = {
      ...options,
      loginURL: options.loginURL || `${cloud}/${tenant}/oauth2/authorize`,
      redeemURL: options.redeemURL || `${cloud}/${tenant}/oauth2/token`,
      validateURL: options.validateURL || options.profileURL,
    }
    return isV2(settled) ? { ...settled, scope: graphScope(settled), resource: '' } : settled
  },
  authorize(parameters, options) {
    if (!isV2(options)) {
      if (options.resource !== '') parameters.set('resource', options.resource)
    } else parameters.set('scope', graphScope(options)) // discovery may have found the v2.0 endpoints
  },
  async enrich(session, tools) {
    const known = withTokenClaims(session)
    const email = known.email ?? (await mailOf(known, tools))
    const groups = isV2(tools.options) ? [...(known.groups ?? []), ...(await groupsOf(known, tools))] : known.groups
    return {
      ...known,
      ...(email === undefined ? {} : { email }),
      ...(groups === undefined || groups.length === 0 ? {} : { groups: [...new Set(groups)] }),
    }
  },
}

function isV2({ loginURL }: ProviderOptions): boolean {
  return loginURL.includes('v2.0')
}

/** v2.0 endpoints know no `groups` scope; Graph is asked for by a scope in place of a resource. */
function graphScope({ scope, profileURL }: ProviderOptions): string {
  const wanted = `https://${new URL(profileURL).host}/.default`
  const scopes = scope.split(' ').filter((one) => one !== 'groups' && one !== wanted)
  return [...scopes, wanted].join(' ')
}

/** Claims the ID token lacks may be in the access token, which came straight from the token endpoint. */
function withTokenClaims(session: Session): Session {
  if (session.email) return session
  const jwt = parseJwt(session.accessToken ?? '')
  const claims: JsonObject = 'malformed' in jwt ? {} : jwt.claims
  const email = claimText(claims, 'email')
  const groups = claimTexts(claims, 'groups')
  return { ...session, ...(email === undefined ? {} : { email }), ...(groups === undefined ? {} : { groups }) }
}

async function mailOf(session: Session, { api, options }: EnrichTools): Promise<string | undefined> {
  const profile = await api.json(options.profileURL, { headers: bearerHeaders(session.accessToken ?? '') })
  return textAt(profile, 'mail') ?? textAt(profile, 'otherMails', 0) ?? textAt(profile, 'userPrincipalName')
}

async function groupsOf(session: Session, { api, options }: EnrichTools): Promise<string[]> {
  const field = options.azureConfig.graphGroupField || 'id'
  const select = ['displayName', 'id', ...(field === 'id' || field === 'displayName' ? [] : [field])].join(',')
  const query = `$count=true&$filter=securityEnabled+eq+true&$select=${select}`
  const pages = await api.pages(`${new URL(options.profileURL).origin}/v1.0/me/transitiveMemberOf?${query}`, {
    headers: { ...bearerHeaders(session.accessToken ?? ''), consistencylevel: 'eventual' },
    next: (page) => textAt(page, '@odata.nextLink'),
  })
  return pages.flatMap((page) => listAt(page, 'value')).flatMap((group) => textAt(group, field) ?? [])
}
