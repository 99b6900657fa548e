import { expect, test } from 'vitest'
import { providerOptionsSchema } from '../alpha/provider-options.ts'
import { checkProviders } from './check-providers.ts'
import { providerKinds } from './index.ts'

const registered = { clientID: 'id', clientSecret: 'secret' }

function problemsOf(providers: readonly Record<string, unknown>[], skipsButton = false): string[] {
  const problems: string[] = []
  const error = (key: string, message: string, fix: string) => problems.push(`${key} ${message}; ${fix}`)
  const parsed = providers.map((one, index) => providerOptionsSchema.parse({ id: `p${index}`, ...registered, ...one }))
  checkProviders(parsed, { error, skipsButton })
  return problems
}

test('an unknown provider is named with all that are known', () => {
  const problems = problemsOf([{ provider: 'githug', oidcConfig: { issuerURL: 'https://id.example' } }])
  expect(problems).toEqual([
    `provider unknown provider \`githug\`; write one of ${Object.keys(providerKinds).join(', ')}`,
  ])
})

test.each([
  [{ provider: 'github' }],
  [{ provider: 'google' }],
  [{ provider: 'oidc', oidcConfig: { issuerURL: 'https://id.example' } }],
  [
    {
      provider: 'gitlab',
      oidcConfig: { issuerURL: 'https://gitlab.com' },
      gitlabConfig: { projects: ['a/b', 'c/d=40'] },
    },
  ],
  [
    {
      provider: 'entra-id',
      clientSecret: '',
      oidcConfig: { issuerURL: 'https://login.microsoftonline.com/x/v2.0' },
      microsoftEntraIDConfig: { federatedTokenAuth: true },
    },
  ],
  [
    {
      provider: 'oidc',
      loginURL: '/dex/auth',
      redeemURL: 'http://dex/token',
      oidcConfig: { issuerURL: 'https://id.example', skipDiscovery: true, publicKeyFiles: ['/etc/key.pem'] },
    },
  ],
])('%o is enough', (options) => {
  expect(problemsOf([options])).toEqual([])
})

const wrong: readonly [options: Record<string, unknown>, ...keys: string[]][] = [
  [{ provider: 'github', clientID: '', clientSecret: '' }, 'client_id', 'client_secret'],
  [{ provider: 'github', githubConfig: { team: 'ml' } }, 'github_team'],
  [{ provider: 'github', validateURL: 'api.github.com' }, 'validate_url'],
  [{ provider: 'nextcloud' }, 'login_url', 'redeem_url', 'validate_url'],
  [{ provider: 'oidc' }, 'oidc_issuer_url'],
  [
    { provider: 'oidc', oidcConfig: { issuerURL: 'https://id.example', skipDiscovery: true } },
    'login_url',
    'redeem_url',
    'oidc_jwks_url',
  ],
  [
    {
      provider: 'oidc',
      oidcConfig: { issuerURL: 'https://id.example', jwksURL: 'https://id.example/k', publicKeyFiles: ['k'] },
    },
    'oidc_public_key_files',
  ],
  [
    { provider: 'gitlab', oidcConfig: { issuerURL: 'https://gitlab.com' }, gitlabConfig: { projects: ['a/b=35'] } },
    'gitlab_projects',
  ],
  [{ provider: 'google', googleConfig: { group: ['ml@corp.example'] } }, 'google_groups'],
  [{ provider: 'google', googleConfig: { serviceAccountJson: '/etc/a.json' } }, 'google_admin_email'],
  [
    {
      provider: 'google',
      googleConfig: { adminEmail: 'a@b', serviceAccountJson: 'x', useApplicationDefaultCredentials: true },
    },
    'google_service_account_json',
  ],
  [{ provider: 'login.gov' }, 'jwt_key'],
  [{ provider: 'login.gov', loginGovConfig: { jwtKey: 'no key', pubjwkURL: 'https://x.example' } }, 'jwt_key'],
  [{ provider: 'github', code_challenge_method: 'S512' }, 'code_challenge_method'],
]

test.each(wrong)('%o names what is wrong', (options, ...keys) => {
  expect(problemsOf([options]).map((problem) => problem.split(' ')[0])).toEqual(keys)
})

test('of several, each has its own id and is named in what is wrong with it; one has to be chosen on the page', () => {
  const problems = problemsOf(
    [
      { provider: 'github', id: 'a' },
      { provider: 'nextcloud', id: 'a' },
    ],
    true,
  )
  expect(problems[0]).toContain('skip_provider_button leaves no choice')
  expect(problems[1]).toContain('two providers have the id `a`')
  expect(problems[2]).toContain('of provider `a` is missing')
  expect(problemsOf([])).toEqual(['provider is missing: nobody could sign in; configure at least one provider'])
})
