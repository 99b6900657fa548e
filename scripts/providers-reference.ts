import { fileURLToPath } from 'node:url'
import { providerOptionsSchema } from '../src/proxy/alpha/provider-options.ts'
import { providerKinds } from '../src/proxy/provider/index.ts'
import { settleOptions } from '../src/proxy/provider/settle-options.ts'

/** Where the proxy's providers are described. */
export const providersFile = fileURLToPath(new URL('../docs/PROVIDERS.md', import.meta.url))

/** The whole text of docs/PROVIDERS.md: what is said by hand, and tables made from the providers themselves. */
export function providersReference(): string {
  return `# Who signs in at the proxy, and where

Made by \`npm run docs\` from the providers themselves (\`src/proxy/provider/kinds/\`) and the text in
\`scripts/providers-reference.ts\`.

The proxy takes oauth2-proxy's \`provider\` and its keys as they are. Endpoints, scopes, API calls and group names are the
original's, so \`allowed_groups\` and the apps behind see the same values. \`npm run test:interop\` signs in at each kind with the
real program beside ours: what is asked for and who comes out are compared. With a real Keycloak (26.7, \`kc.sh\` on the \`PATH\`)
it also refreshes, signs out there and is told by back-channel logout of a session an administrator ended.

## Providers

${table(
  ['`provider`', 'is', 'signs in by', 'keys of its own'],
  Object.entries(providerKinds).map(([name, { about, protocol, keys = [] }]) => [
    `\`${name}\``,
    about,
    protocol === 'oidc' ? 'OpenID Connect' : 'OAuth 2.0 and its API',
    keys.map((key) => `\`${key}\``).join(', '),
  ]),
)}

Where nothing else is configured (what discovery finds wins over it):

${table(
  ['`provider`', '`login_url`', '`redeem_url`', '`profile_url`, `validate_url`', '`scope`'],
  Object.keys(providerKinds).map((name) => {
    const { loginURL, redeemURL, profileURL, validateURL, scope } = settleOptions(
      providerOptionsSchema.parse({ id: name, provider: name }),
    )
    const profiles = [...new Set([profileURL, validateURL])]
    return [[name], [loginURL], [redeemURL], profiles, [scope]].map(coded)
  }),
)}

The others discover their URLs from \`oidc_issuer_url\`, or take them from the configuration. Every URL can be overridden: that
is how an Enterprise server, a national cloud or a test server is used.

## Restricting who may enter

\`\`\`toml
# GitHub: an organization's teams, or one person more. Organizations are groups, teams are groups \`org:team\`.
provider = "github"
github_org = "corp"
github_team = "ml,platform"
github_users = ["ada"]
\`\`\`

\`\`\`toml
# GitLab: members of a group, or those with the access of a developer (30) to a project.
provider = "gitlab"
oidc_issuer_url = "https://gitlab.example.com"
gitlab_groups = ["corp"]
gitlab_projects = ["corp/models=30"]
\`\`\`

\`\`\`toml
# Google: groups of the Workspace, nested ones included, read in the name of an administrator.
provider = "google"
google_groups = ["ml@corp.example"]
google_admin_email = "admin@corp.example"
google_service_account_json = "/etc/proxy/google.json"
\`\`\`

\`\`\`toml
# Entra ID for several tenants. The issuer still has to be one of Microsoft's, and the token's own tenant.
provider = "entra-id"
oidc_issuer_url = "https://login.microsoftonline.com/common/v2.0"
insecure_oidc_skip_issuer_verification = true
entra_id_allowed_tenants = ["11111111-2222-3333-4444-555555555555"]
\`\`\`

Someone who signs in and is not let in is told why, and can use another account. Groups are read again at each refresh, so
who leaves an organization loses the session then (\`cookie_refresh\`, or when a token runs out). An account that has none
is asked about again by its access token (\`validate_url\`).

## Several providers at once

oauth2-proxy takes the first of the alpha configuration's \`providers\`; here each has a button on the sign-in page, and
\`/oauth2/start?provider=<id>\` goes straight to one:

\`\`\`yaml
providers:
  - id: corp
    provider: keycloak-oidc
    name: Corporate account
    clientID: platform
    clientSecretFile: /etc/proxy/corp-secret
    oidcConfig: { issuerURL: https://id.corp.example/realms/corp }
    allowedGroups: [ml]
  - id: partners
    provider: github
    clientID: 0123456789abcdef
    clientSecretFile: /etc/proxy/github-secret
    githubConfig: { org: corp-partners }
    allowedGroups: [corp-partners:ml]
\`\`\`

A session remembers its provider: that one refreshes it, decides by its groups and ends it. An answer that names another
issuer (\`iss\`, RFC 9207) is refused. A session has oauth2-proxy's bytes, and with several providers one key more (\`pv\`),
which it ignores. \`skip_provider_button\` needs there to be only one.

## Password file

\`htpasswd_file\` has lines of \`user:{SHA}…\` or \`user:$2y$…\` (\`htpasswd -B\`). Its users sign in on the sign-in page
(hidden by \`display_htpasswd_form = false\`) or send \`Authorization: Basic\` with each request; they have the groups of
\`htpasswd_user_groups\` and no e-mail address. After five wrong guesses for a user from one address the next has to wait,
1 to 300 seconds. \`authenticated_emails_file\` has one address per line, beside \`email_domains\`.

Both files are looked at again when they change, a ConfigMap's included: at once for sign-ins, within a minute for those
signed in. A file that cannot be parsed any more changes nothing and is told in the log.

## What programs are answered

Who is not signed in and navigates gets the sign-in page (403) or, with \`skip_provider_button\`, a redirect. Everything else
gets 401, starts no login and sets no cookie:

${table(
  ['request', 'answer'],
  [
    ['`Accept` with `application/json`, `api_routes`, `force_json_errors`', '401 `{}`, as in oauth2-proxy'],
    [
      'fetch, XHR, frames, images, workers, prefetches (`Sec-Fetch-Mode`, `Sec-Fetch-Dest`, `Sec-Purpose`, `X-Requested-With`), WebSockets, gRPC, `Content-Type: application/json`, an `Accept` that takes no page',
      '401 `{"error": "login_required", "login_url": "/oauth2/start"}`',
    ],
  ],
)}

## Certificates

\`provider_ca_files\` are believed for the provider only, in place of the system's authorities unless
\`use_system_trust_store\`. \`ssl_insecure_skip_verify\` concerns the provider alone, not the process as in the original.

## As in the original, to the letter

\`compat = true\` (\`--compat\`) brings back what is done better here: one login cookie for all tabs, a 403 where it is
missing, pages for background requests, PKCE and nonce only where configured, an empty \`allowed_groups=\` that lets everyone
pass.

## Adding one

A file in \`src/proxy/provider/kinds/\` that says what differs from plain OpenID Connect or OAuth 2.0, a row in
\`src/proxy/provider/index.ts\`, and a case in \`test/suites/providers.test.ts\`, which every kind has to pass.
`
}

function coded(texts: readonly string[]): string {
  return texts
    .filter((text) => text !== '')
    .map((text) => `\`${text}\``)
    .join(', ')
}

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(columns), line(columns.map(() => '---')), ...rows.map(line)].join('\n')
}
