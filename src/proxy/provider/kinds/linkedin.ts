import { textAt } from '../api.ts'
import type { ProviderKind } from '../kind.ts'

/** LinkedIn (oauth2-proxy providers/linkedin.go). */
export const linkedin: ProviderKind = {
  title: 'LinkedIn',
  about: 'LinkedIn accounts',
  protocol: 'oauth2',
  defaults: {
    loginURL: 'https://www.linkedin.com/oauth/v2/authorization',
    redeemURL: 'https://www.linkedin.com/uas/oauth2/accessToken',
    profileURL: 'https://api.linkedin.com/v2/emailAddress',
    validateURL: 'https://api.linkedin.com/v2/me',
    scope: 'r_emailaddress r_liteprofile',
  },
  tokenHeaders: linkedinHeaders,
  async enrich(session, { options, api }) {
    // Parentheses and `~` as they stand: LinkedIn's projections are no ordinary query.
    const url = `${options.profileURL}?q=members&projection=(elements*(handle~))`
    const answer = await api.json(url, { headers: linkedinHeaders(session.accessToken ?? '') })
    const email = textAt(answer, 'elements', 0, 'handle~', 'emailAddress')
    return email === undefined ? session : { ...session, email }
  },
}

function linkedinHeaders(accessToken: string): Readonly<Record<string, string>> {
  return { accept: 'application/json', 'x-li-format': 'json', authorization: `Bearer ${accessToken}` }
}
