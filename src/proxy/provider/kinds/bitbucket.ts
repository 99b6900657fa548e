import { GatehouseError } from '../../../kit/errors.ts'
import { listAt, memberAt, textAt } from '../api.ts'
import type { ProviderKind } from '../kind.ts'

/** Bitbucket Cloud (oauth2-proxy providers/bitbucket.go); tokens go in headers rather than into logged URLs. */
export const bitbucket: ProviderKind = {
  title: 'Bitbucket',
  about: 'Bitbucket Cloud, restricted to a team or a repository',
  protocol: 'oauth2',
  keys: ['bitbucket_team', 'bitbucket_repository'],
  defaults: {
    loginURL: 'https://bitbucket.org/site/oauth2/authorize',
    redeemURL: 'https://bitbucket.org/site/oauth2/access_token',
    validateURL: 'https://api.bitbucket.org/2.0/user/emails',
    scope: 'email',
  },
  tokenHeaders: (accessToken) => ({ accept: 'application/json', authorization: `Bearer ${accessToken}` }),
  settle(options) {
    const { team, repository } = options.bitbucketConfig
    const withTeam = team !== '' && !options.scope.includes('team') ? `${options.scope} team` : options.scope
    const scope = repository !== '' && !withTeam.includes('repository') ? `${withTeam} repository` : withTeam
    return { ...options, scope }
  },
  async enrich(session, { options, api }) {
    const headers = { accept: 'application/json', authorization: `Bearer ${session.accessToken ?? ''}` }
    const { team, repository } = options.bitbucketConfig
    const { origin } = new URL(options.validateURL)
    const valuesAt = async (url: string) => {
      const pages = await api.pages(url, { headers, next: (page) => textAt(page, 'next') })
      return pages.flatMap((page) => listAt(page, 'values'))
    }
    if (team !== '') {
      const teams = await valuesAt(`${origin}/2.0/teams?role=member`)
      if (!teams.some((one) => textAt(one, 'username') === team)) refuse('is not in the team')
    }
    if (repository !== '') {
      const query = new URLSearchParams({ role: 'contributor', q: `full_name="${repository}"` })
      const [owner = ''] = repository.split('/')
      const found = await valuesAt(`${origin}/2.0/repositories/${encodeURIComponent(owner)}?${query}`)
      if (!found.some((one) => textAt(one, 'full_name') === repository)) refuse('has no access to the repository')
    }
    const emails = await valuesAt(options.validateURL)
    const email = textAt(
      emails.find((one) => memberAt(one, 'is_primary') === true),
      'email',
    )
    return email === undefined ? session : { ...session, email }
  },
}

function refuse(what: string): never {
  throw new GatehouseError('not_admitted', `the Bitbucket account ${what}`)
}
