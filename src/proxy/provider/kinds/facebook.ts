import { textAt } from '../api.ts'
import { bearerHeaders, type ProviderKind } from '../kind.ts'
import { withSortedQuery } from '../sorted-query.ts'

const me = 'https://graph.facebook.com/v2.5/me'

/** Facebook (oauth2-proxy providers/facebook.go). */
export const facebook: ProviderKind = {
  title: 'Facebook',
  about: 'Facebook accounts',
  protocol: 'oauth2',
  defaults: {
    loginURL: 'https://www.facebook.com/v2.5/dialog/oauth',
    redeemURL: 'https://graph.facebook.com/v2.5/oauth/access_token',
    profileURL: me,
    validateURL: me,
    scope: 'public_profile email',
  },
  tokenHeaders: bearerHeaders,
  async enrich(session, { options, api }) {
    const url = withSortedQuery(options.profileURL, { fields: 'name,email' })
    const email = textAt(await api.json(url, { headers: bearerHeaders(session.accessToken ?? '') }), 'email')
    return email === undefined ? session : { ...session, email }
  },
}
