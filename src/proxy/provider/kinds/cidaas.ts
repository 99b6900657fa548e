import { memberAt, textAt, textsAt } from '../api.ts'
import { bearerHeaders, type ProviderKind } from '../kind.ts'

/** cidaas, whose groups come with roles (oauth2-proxy providers/cidaas.go). */
export const cidaas: ProviderKind = {
  title: 'CIDAAS',
  about: 'cidaas; groups are `<group>:<role>`, its own roles `cidaas:<role>`',
  protocol: 'oidc',
  defaults: { scope: 'openid email profile roles groups' },
  tokenHeaders: bearerHeaders,
  async enrich(session, { options, userinfoUrl, api, claims }) {
    if (userinfoUrl === undefined) return session
    const profile = await api.json(userinfoUrl, { headers: bearerHeaders(session.accessToken ?? '') })
    // OpenID Connect Core §5.3.2: a profile of someone else must not be mixed in.
    if (textAt(profile, 'sub') !== undefined && textAt(profile, 'sub') !== claims['sub']) return session
    const { emailClaim, groupsClaim } = options.oidcConfig
    const entries = memberAt(profile, groupsClaim)
    const named = Array.isArray(entries)
      ? entries.flatMap((entry) => textsAt(entry, 'roles').map((role) => `${textAt(entry, 'groupId') ?? ''}:${role}`))
      : []
    const groups = [...named, ...textsAt(profile, 'roles').map((role) => `cidaas:${role}`)]
    const email = session.email ?? textAt(profile, emailClaim)
    return { ...session, groups, ...(email === undefined ? {} : { email }) }
  },
}
