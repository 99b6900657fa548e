import { GatehouseError } from '../../../kit/errors.ts'
import type { ProviderOptions } from '../../alpha/provider-options.ts'
import type { Session } from '../../session.ts'
import { memberAt, textAt, textsAt } from '../api.ts'
import { bearerHeaders, type EnrichTools, type ProviderKind } from '../kind.ts'

const accessLevels: readonly string[] = ['10', '20', '30', '40']
const defaultAccessLevel = '20'

/** GitLab, gitlab.com or one's own (oauth2-proxy providers/gitlab.go). */
export const gitlab: ProviderKind = {
  title: 'GitLab',
  about: 'GitLab; a project of `gitlab_projects` someone has access to is the group `project:<path>`',
  protocol: 'oidc',
  keys: ['gitlab_groups', 'gitlab_projects'],
  defaults: { scope: 'openid email' },
  tokenHeaders: bearerHeaders,
  settle(options) {
    const needsApi = options.gitlabConfig.projects.length > 0 && !options.scope.split(' ').includes('read_api')
    return needsApi ? { ...options, scope: `${options.scope} read_api` } : options
  },
  check: ({ gitlabConfig }) =>
    gitlabConfig.projects
      .filter((project) => !accessLevels.includes(parseProject(project).level))
      .map((project) => ({
        key: 'gitlab_projects',
        message: `\`${project}\` names no access level of GitLab`,
        fix: `write \`group/project=level\` with one of ${accessLevels.join(', ')}`,
      })),
  allowedGroups: ({ gitlabConfig: { group, projects } }) => [
    ...group,
    ...projects.map((project) => `project:${parseProject(project).path}`),
  ],
  async enrich(session, tools) {
    const { api, options } = tools
    const info = await api.json(`${originOf(options)}/oauth/userinfo`, {
      headers: bearerHeaders(session.accessToken ?? ''),
    })
    if (memberAt(info, 'email_verified') !== true && !options.oidcConfig.insecureAllowUnverifiedEmail) {
      throw new GatehouseError('email_not_verified', 'the e-mail address of this account is not verified')
    }
    const email = textAt(info, 'email') ?? session.email
    const groups = textsAt(info, 'groups')
    const known = groups.length > 0 ? groups : (session.groups ?? []).filter((group) => !group.startsWith('project:'))
    const all = [...known, ...(await projectsOf(session, tools))]
    return {
      ...session,
      user: textAt(info, 'nickname') ?? session.user ?? '',
      ...(email === undefined ? {} : { email }),
      groups: all,
    }
  },
}

/** GitLab's own origin: that of its login page. */
function originOf({ loginURL, oidcConfig }: ProviderOptions): string {
  return new URL(loginURL, oidcConfig.issuerURL).origin
}

/** `group/project=level`, the level being 20 (reporter) where it is left out. */
function parseProject(project: string): { path: string; level: string } {
  const equals = project.indexOf('=')
  if (equals < 0) return { path: project, level: defaultAccessLevel }
  return { path: project.slice(0, equals), level: project.slice(equals + 1) }
}

/** The configured projects this account has the access to, itself or by a group; archived ones count for nothing. */
async function projectsOf(session: Session, { api, options, log }: EnrichTools): Promise<string[]> {
  const headers = bearerHeaders(session.accessToken ?? '')
  const found: string[] = []
  for (const { path, level } of options.gitlabConfig.projects.map(parseProject)) {
    const url = `${originOf(options)}/api/v4/projects/${encodeURIComponent(path)}`
    const project = await api.json(url, { headers }).catch((error: unknown) => {
      if (!(error instanceof GatehouseError) || error.code !== 'api_refused') throw error
      log.info('project not visible to this account', { project: path, detail: error.detail })
      return undefined
    })
    const permissions = memberAt(project, 'permissions')
    const access = memberAt(permissions, 'project_access') ?? memberAt(permissions, 'group_access')
    const isHigh = Number(memberAt(access, 'access_level')) >= Number(level)
    if (memberAt(project, 'archived') !== true && isHigh) found.push(`project:${path}`)
  }
  return found
}
