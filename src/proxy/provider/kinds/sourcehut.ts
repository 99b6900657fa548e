import { GatehouseError } from '../../../kit/errors.ts'
import { textAt } from '../api.ts'
import { bearerHeaders, type ProviderKind } from '../kind.ts'

/** SourceHut, by its GraphQL API (oauth2-proxy providers/srht.go). */
export const sourcehut: ProviderKind = {
  title: 'SourceHut',
  about: 'sr.ht or a SourceHut of one’s own',
  protocol: 'oauth2',
  defaults: {
    loginURL: 'https://meta.sr.ht/oauth2/authorize',
    redeemURL: 'https://meta.sr.ht/oauth2/access-token',
    profileURL: 'https://meta.sr.ht/query',
    validateURL: 'https://meta.sr.ht/profile',
    scope: 'meta.sr.ht/PROFILE:RO',
  },
  tokenHeaders: bearerHeaders,
  async enrich(session, { options, api }) {
    const answer = await api.json(options.profileURL, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${session.accessToken ?? ''}` },
      body: '{"query": "{ me { username, email } }"}',
    })
    const user = textAt(answer, 'data', 'me', 'username')
    const email = textAt(answer, 'data', 'me', 'email')
    if (user === undefined) throw new GatehouseError('provider_refused', 'SourceHut did not say who the account is')
    return { ...session, user, preferredUsername: user, ...(email === undefined ? {} : { email }) }
  },
}
