import { GatehouseError } from '../../../kit/errors.ts'
import type { ProviderOptions } from '../../alpha/provider-options.ts'
import { listAt, memberAt, type ProviderApi, textAt } from '../api.ts'
import type { ProviderKind } from '../kind.ts'

/**
 * GitHub, GitHub Enterprise and Gitea's copy of its API (oauth2-proxy providers/github.go). `validateURL` is the base
 * of the API. Organizations are groups, teams are groups `org:team`.
 */
export const github: ProviderKind = {
  title: 'GitHub',
  about: 'GitHub or GitHub Enterprise; organizations are groups, teams are groups `org:team`',
  protocol: 'oauth2',
  keys: ['github_org', 'github_team', 'github_repo', 'github_token', 'github_users'],
  defaults: {
    loginURL: 'https://github.com/login/oauth/authorize',
    redeemURL: 'https://github.com/login/oauth/access_token',
    validateURL: 'https://api.github.com/',
    scope: 'user:email read:org',
  },
  tokenHeaders: githubHeaders,
  check({ githubConfig: { org, team } }) {
    const isQualified = org !== '' || team === '' || team.split(',').every((one) => one.includes(':'))
    if (isQualified) return []
    const message = `\`${team}\` names no organization, and github_org is not set`
    return [{ key: 'github_team', message, fix: 'write `org:team`, or set github_org' }]
  },
  async enrich(session, { options, api }) {
    const token = session.accessToken ?? ''
    const urlOf = endpointsOf(options.validateURL)
    const account = await api.json(urlOf('user'), { headers: githubHeaders(token) })
    const user = textAt(account, 'login')
    if (user === undefined) throw new GatehouseError('provider_refused', 'GitHub did not say who the account is')
    const groups = [...(await organizationsOf(api, urlOf, token)), ...(await teamsOf(api, urlOf, token))]
    await admit({ user, groups, token }, { options, api, urlOf })
    const emails = await api.json(urlOf('user/emails'), { headers: githubHeaders(token) })
    const primary = listAt(emails).find(
      (one) => memberAt(one, 'verified') === true && memberAt(one, 'primary') === true,
    )
    const email = textAt(primary, 'email')
    return { ...session, user, groups, ...(email === undefined ? {} : { email }) }
  },
}

function githubHeaders(accessToken: string): Readonly<Record<string, string>> {
  return { accept: 'application/vnd.github.v3+json', authorization: `token ${accessToken}`, 'user-agent': 'gatehouse' }
}

type UrlOf = (path: string) => string

/** The API's paths; of an Enterprise URL such as `/api/v3/user/emails` only `/api/v3` counts. */
function endpointsOf(validateUrl: string): UrlOf {
  const { origin, pathname } = new URL(validateUrl)
  const base = /^\/api\/v\d+/.exec(pathname)?.[0] ?? pathname.replace(/\/$/, '')
  return (path) => `${origin}${base}/${path}`
}

/** Every page of a list: by the `Link` header where there is one, else until a page is empty (Gitea). */
async function everyPage(api: ProviderApi, url: string, token: string): Promise<unknown[]> {
  let page = 1
  const numbered = () => `${url}?page=${page}&per_page=100`
  const pages = await api.pages(numbered(), {
    headers: githubHeaders(token),
    next(value, { headers }) {
      page += 1
      const link = headers.get('link')
      if (link !== null) return /<([^>]+)>;\s*rel="next"/.exec(link)?.[1]
      return listAt(value).length === 0 ? undefined : numbered()
    },
  })
  return pages.flatMap((value) => listAt(value))
}

async function organizationsOf(api: ProviderApi, urlOf: UrlOf, token: string): Promise<string[]> {
  const found = await everyPage(api, urlOf('user/orgs'), token)
  return found.flatMap((one) => textAt(one, 'login') ?? textAt(one, 'name') ?? [])
}

async function teamsOf(api: ProviderApi, urlOf: UrlOf, token: string): Promise<string[]> {
  const found = await everyPage(api, urlOf('user/teams'), token)
  return found.flatMap((team) => {
    const login = textAt(team, 'organization', 'login')
    const [org, name] =
      login === undefined ? [textAt(team, 'organization', 'name'), textAt(team, 'name')] : [login, textAt(team, 'slug')]
    return org === undefined || name === undefined ? [] : [`${org}:${name}`]
  })
}

interface Candidate {
  readonly user: string
  readonly groups: readonly string[]
  readonly token: string
}

/** A listed user always may; else organization or team decide, else the repository. */
async function admit(
  { user, groups, token }: Candidate,
  { options, api, urlOf }: { options: ProviderOptions; api: ProviderApi; urlOf: UrlOf },
): Promise<void> {
  const { org, team, repo, users, token: ownerToken } = options.githubConfig
  if (users.includes(user)) return
  if (org === '' && team === '' && repo === '' && users.length > 0) refuse('is not one of the listed users')
  if (team !== '') {
    if (!wantedTeams(org, team).some((one) => groups.some((group) => group.toLowerCase() === one))) {
      refuse('is in none of the teams')
    }
  } else if (org !== '' && !groups.includes(org)) refuse('is not in the organization')
  if (org !== '' || repo === '') return
  const mayUse =
    ownerToken === ''
      ? await hasRepository(api, urlOf(`repos/${repo}`), token)
      : (await api.status(urlOf(`repos/${repo}/collaborators/${encodeURIComponent(user)}`), {
          headers: githubHeaders(ownerToken),
        })) === 204
  if (!mayUse) refuse('has no access to the repository')
}

function refuse(what: string): never {
  throw new GatehouseError('not_admitted', `the GitHub account ${what}`)
}

/** As `org:team` in lower case, the form groups have. */
function wantedTeams(org: string, team: string): string[] {
  return team.split(',').map((one) => (org === '' ? one.trim() : `${org}:${one.trim()}`).toLowerCase())
}

/** Whether the account may push, or read where that says something because the repository is private. */
async function hasRepository(api: ProviderApi, url: string, token: string): Promise<boolean> {
  const repository = await api.json(url, { headers: githubHeaders(token) }).catch((error: unknown) => {
    if (error instanceof GatehouseError && error.code === 'api_refused') return undefined
    throw error
  })
  if (memberAt(repository, 'permissions', 'push') === true) return true
  return memberAt(repository, 'private') === true && memberAt(repository, 'permissions', 'pull') === true
}
