import { GatehouseError } from '../../../kit/errors.ts'
import type { ProviderOptions } from '../../alpha/provider-options.ts'
import { openGoogleDirectory } from '../google-directory.ts'
import type { EnrichTools, KindProblem, ProviderKind } from '../kind.ts'

/** Google, groups by its Admin SDK (oauth2-proxy providers/google.go). Here the ID token's signature is verified, too. */
export const google: ProviderKind = {
  title: 'Google',
  about: 'Google; groups of a Workspace by a service account with domain-wide delegation',
  protocol: 'oidc',
  keys: [
    'google_groups',
    'google_group',
    'google_admin_email',
    'google_service_account_json',
    'google_use_application_default_credentials',
    'google_target_principal',
    'google_use_organization_id',
    'google_admin_api_user_scope',
  ],
  defaults: {
    loginURL: 'https://accounts.google.com/o/oauth2/auth?access_type=offline',
    redeemURL: 'https://www.googleapis.com/oauth2/v3/token',
    validateURL: 'https://www.googleapis.com/oauth2/v1/tokeninfo',
    scope: 'profile email',
  },
  clientAuth: 'client_secret_post',
  settle: (options) => ({
    ...options,
    oidcConfig: {
      ...options.oidcConfig,
      issuerURL: options.oidcConfig.issuerURL || 'https://accounts.google.com',
      jwksURL: options.oidcConfig.jwksURL || 'https://www.googleapis.com/oauth2/v3/certs',
      skipDiscovery: true,
    },
  }),
  check,
  allowedGroups: ({ googleConfig }) => (hasCredentials(googleConfig) ? googleConfig.group : []),
  identify(session, claims) {
    if (claims['email_verified'] === true) return session
    throw new GatehouseError('email_not_verified', 'the e-mail address of this account is not verified')
  },
  async enrich(session, tools) {
    const { googleConfig } = tools.options
    const needsDirectory = hasCredentials(googleConfig) || googleConfig.useOrganizationID
    if (!needsDirectory || !session.email) return session
    const directory = await openGoogleDirectory(googleConfig, tools)
    const organizationId = googleConfig.useOrganizationID ? await directory.organizationId(session.email) : undefined
    const groups = hasCredentials(googleConfig) ? await groupsOf(session.email, tools, directory) : session.groups
    return {
      ...session,
      ...(organizationId === undefined ? {} : { preferredUsername: organizationId }),
      ...(groups === undefined || groups.length === 0 ? {} : { groups }),
    }
  },
}

type GoogleConfig = ProviderOptions['googleConfig']

function hasCredentials({ serviceAccountJson, useApplicationDefaultCredentials }: GoogleConfig): boolean {
  return serviceAccountJson !== '' || useApplicationDefaultCredentials
}

/** The configured groups someone is in, nested ones included; all direct ones where none is configured. */
async function groupsOf(
  email: string,
  { options, log }: EnrichTools,
  directory: Awaited<ReturnType<typeof openGoogleDirectory>>,
): Promise<string[]> {
  const wanted = options.googleConfig.group
  if (wanted.length > 0) {
    const isIn = await Promise.all(wanted.map((group) => directory.isMember(group, email)))
    return wanted.filter((_, index) => isIn[index])
  }
  return directory.groupsOf(email).catch((cause: unknown) => {
    log.warn('Google did not tell the groups', { cause })
    return []
  })
}

function check({ googleConfig }: ProviderOptions): readonly KindProblem[] {
  const { adminEmail, serviceAccountJson, useApplicationDefaultCredentials: usesDefault, group } = googleConfig
  const problems: KindProblem[] = []
  if (group.length > 0 && !hasCredentials(googleConfig)) {
    const fix = 'set google_service_account_json, or google_use_application_default_credentials'
    problems.push({ key: 'google_groups', message: 'cannot be looked up without credentials', fix })
  }
  if (hasCredentials(googleConfig) && adminEmail === '') {
    problems.push({ key: 'google_admin_email', message: 'is missing', fix: 'write an administrator of the Workspace' })
  }
  if (usesDefault && serviceAccountJson !== '') {
    const message = 'cannot be combined with google_use_application_default_credentials'
    problems.push({ key: 'google_service_account_json', message, fix: 'keep one of them' })
  }
  return problems
}
