import { textAt } from '../api.ts'
import { bearerHeaders, type ProviderKind } from '../kind.ts'

const account = 'https://api.digitalocean.com/v2/account'

/** DigitalOcean (oauth2-proxy providers/digitalocean.go). */
export const digitalocean: ProviderKind = {
  title: 'DigitalOcean',
  about: 'DigitalOcean accounts',
  protocol: 'oauth2',
  defaults: {
    loginURL: 'https://cloud.digitalocean.com/v1/oauth/authorize',
    redeemURL: 'https://cloud.digitalocean.com/v1/oauth/token',
    profileURL: account,
    validateURL: account,
    scope: 'read',
  },
  tokenHeaders: bearerHeaders,
  async enrich(session, { options, api }) {
    const profile = await api.json(options.profileURL, { headers: bearerHeaders(session.accessToken ?? '') })
    const email = textAt(profile, 'account', 'email')
    return email === undefined ? session : { ...session, email }
  },
}
