/** A configuration of oauth2-proxy: what it is given, and where we differ on purpose. */
export interface ConfigurationCase {
  readonly what: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Files by the names the arguments use. */
  readonly files?: Readonly<Record<string, string>>
  /** Why our exit status differs: what the original only notices when it starts, or not at all. */
  readonly stricter?: string
}

/** What the original does with it. */
export interface RecordedConfiguration {
  readonly what: string
  readonly status: number
  readonly stdout: string
}

const secret = '0123456789abcdef0123456789abcdef'
const flags = ['--client-id=id', '--client-secret=shh', `--cookie-secret=${secret}`, '--email-domain=*']
const oidc = [...flags, '--provider=oidc', '--oidc-issuer-url=https://issuer.example', '--redirect-url=https://a.example']
const convert = (what: string, ...args: string[]): ConfigurationCase => ({
  what,
  args: [...flags, ...args, '--convert-config-to-alpha'],
})
const check = (what: string, ...args: string[]): ConfigurationCase => ({ what, args: [...oidc, '--config-test', ...args] })
const checkFile = (what: string, toml: string): ConfigurationCase => ({
  what,
  args: [...oidc, '--config', 'proxy.cfg', '--config-test'],
  files: { 'proxy.cfg': toml },
})
const core = [`--cookie-secret=${secret}`, '--email-domain=*']
const checkAlpha = (what: string, yaml: string, ...args: string[]): ConfigurationCase => ({
  what,
  args: [...core, ...args, '--alpha-config', 'alpha.yaml', '--config-test'],
  files: { 'alpha.yaml': yaml },
})
const alphaProvider = `providers:
  - id: main
    provider: oidc
    clientID: id
    clientSecret: shh
    oidcConfig:
      issuerURL: https://issuer.example
`

/** Kubeflow's own (kubeflow/manifests common/oauth2-proxy). */
const kubeflow = `provider = "oidc"
oidc_issuer_url = "http://dex.auth.svc.cluster.local:5556/dex"
scope = "profile email groups openid"
email_domains = "*"
insecure_oidc_allow_unverified_email = "true"
upstreams = "static://200"
skip_auth_routes = ["^/dex/"]
api_routes = ["/api/", "/apis/", "^/ml_metadata"]
skip_oidc_discovery = true
login_url = "/dex/auth"
redeem_url = "http://dex.auth.svc.cluster.local:5556/dex/token"
oidc_jwks_url = "http://dex.auth.svc.cluster.local:5556/dex/keys"
skip_provider_button = false
provider_display_name = "Dex"
custom_sign_in_logo = "/custom-theme/kubeflow-logo.svg"
banner = "-"
footer = "-"
prompt = "none"
set_authorization_header = true
set_xauthrequest = true
cookie_name = "oauth2_proxy_kubeflow"
cookie_expire = "24h"
cookie_refresh = 0
code_challenge_method = "S256"
redirect_url = "/oauth2/callback"
relative_redirect_url = true
`

export const configurationCases: readonly ConfigurationCase[] = [
  convert('the defaults'),
  {
    what: "Kubeflow's configuration",
    args: ['--config', 'proxy.cfg', '--http-address=0.0.0.0:4180', '--convert-config-to-alpha'],
    env: { OAUTH2_PROXY_CLIENT_ID: 'kubeflow', OAUTH2_PROXY_CLIENT_SECRET: 'shh', OAUTH2_PROXY_COOKIE_SECRET: secret },
    files: { 'proxy.cfg': kubeflow },
  },
  {
    what: "Kubeflow's configuration with a cookie secret of one's own",
    args: ['--config', 'proxy.cfg', '--http-address=0.0.0.0:4180', '--config-test'],
    env: { OAUTH2_PROXY_CLIENT_ID: 'kubeflow', OAUTH2_PROXY_CLIENT_SECRET: 'shh', OAUTH2_PROXY_COOKIE_SECRET: secret },
    files: { 'proxy.cfg': kubeflow },
  },
  {
    what: "Kubeflow's configuration with the cookie secret of its manifests",
    args: ['--config', 'proxy.cfg', '--http-address=0.0.0.0:4180', '--config-test'],
    env: {
      OAUTH2_PROXY_CLIENT_ID: 'kubeflow',
      OAUTH2_PROXY_CLIENT_SECRET: 'shh',
      OAUTH2_PROXY_COOKIE_SECRET: '7d16fee92f8d11b8940b081b3f8b8acb',
    },
    files: { 'proxy.cfg': kubeflow },
    stricter: 'everyone knows that secret; --compat allows it',
  },
  convert('upstreams of every kind', '--upstream=http://a', '--upstream=https://b:8443/x/', '--upstream=static://202',
    '--upstream=file:///srv/www#/files/', '--upstream=file:///srv/plain', '--upstream=unix:///run/a.sock',
    '--flush-interval=1500ms', '--upstream-timeout=90m', '--ssl-upstream-insecure-skip-verify'),
  convert('a static upstream that is no number', '--upstream=static://ok'),
  convert('every header for the upstream', '--pass-access-token', '--pass-authorization-header', '--basic-auth-password=p'),
  convert('no header for the upstream', '--pass-basic-auth=false', '--pass-user-headers=false'),
  convert('the e-mail as the user', '--prefer-email-to-user', '--skip-auth-strip-headers=false', '--basic-auth-password=p'),
  convert('every header of the answer', '--set-xauthrequest', '--set-basic-auth', '--set-authorization-header',
    '--pass-access-token'),
  convert('TLS', '--tls-cert-file=/c', '--tls-key-file=/k', '--tls-min-version=TLS1.3',
    '--tls-cipher-suite=TLS_RSA_WITH_AES_128_GCM_SHA256'),
  convert('metrics by TLS', '--metrics-address=:9100', '--metrics-secure-address=:9101', '--metrics-tls-cert-file=/c',
    '--metrics-tls-key-file=/k'),
  ...['github', 'gitlab', 'keycloak', 'keycloak-oidc', 'google', 'entra-id', 'azure', 'adfs', 'bitbucket', 'login.gov'].map(
    (provider) =>
      convert(`the keys of all providers, for ${provider}`, `--provider=${provider}`, '--github-org=o', '--github-team=t',
        '--github-repo=r', '--github-token=k', '--github-user=u', '--keycloak-group=g', '--allowed-role=r',
        '--gitlab-group=g', '--gitlab-project=p=30', '--bitbucket-team=t', '--bitbucket-repository=r', '--google-group=g',
        '--google-admin-email=a@b', '--google-service-account-json=/j', '--google-use-organization-id=true',
        '--entra-id-allowed-tenant=t', '--entra-id-federated-token-auth', '--azure-tenant=t', '--jwt-key=k',
        '--pubjwk-url=u', '--resource=r'),
  ),
  convert('the words of the provider', '--provider-display-name=Our SSO', '--prompt=login', '--acr-values=a b',
    '--scope=openid', '--login-url=/auth', '--redeem-url=/token', '--profile-url=/me', '--validate-url=/v',
    '--backend-logout-url=https://a/{id_token}', '--force-code-challenge-method=S256', '--allowed-group=a,b',
    '--allowed-group=c', '--oidc-email-claim=mail', '--oidc-groups-claim=roles', '--user-id-claim=sub',
    '--oidc-audience-claim=azp', '--oidc-extra-audience=x', '--oidc-public-key-file=/p', '--oidc-enabled-signing-alg=ES256',
    '--insecure-oidc-skip-nonce=false', '--auth-request-response-mode=form_post', '--provider-ca-file=/ca'),
  convert('texts that YAML would read as something else', '--login-url=true', '--scope=123', '--prompt=a: b',
    '--acr-values=- x', '--client-secret=*&!', '--redeem-url=2020-01-01', '--profile-url=~', '--resource= lead'),
  convert('an upstream that is no URL', '--upstream=127.0.0.1:80'),
  {
    what: 'a flag above a variable above the file',
    args: ['--config=proxy.cfg', '--provider-display-name=flag', '--convert-config-to-alpha'],
    env: { OAUTH2_PROXY_PROVIDER_DISPLAY_NAME: 'env', OAUTH2_PROXY_CLIENT_ID: 'env', OAUTH2_PROXY_SCOPE: '' },
    files: { 'proxy.cfg': 'provider_display_name = "file"\nclient_id = "file"\nclient_secret = "file"\nscope = "file"\n' },
  },
  check('a plain configuration'),
  check('an unknown flag', '--no-such-flag'),
  check('a switch that is neither', '--cookie-secure=maybe'),
  check('a number that is none', '--logging-max-size=5x'),
  check('a duration flag without a unit', '--cookie-expire=24'),
  check('a flag without its value', '--cookie-name'),
  check('a stray argument', 'stray'),
  check('flags behind the end of flags', '--', '--no-such-flag'),
  check('a file that is not there', '--config=/no/such/file'),
  check('a test and a conversion', '--convert-config-to-alpha'),
  check('a short cookie secret', '--cookie-secret=short'),
  check('cookie_refresh beyond cookie_expire', '--cookie-refresh=200h'),
  check('an unknown same-site', '--cookie-samesite=x'),
  check('no cookie name', '--cookie-name=a b'),
  check('a long cookie name', `--cookie-name=${'x'.repeat(300)}`),
  check('a skip route that is no pattern', '--skip-auth-route=GET=('),
  check('an API route that is no pattern', '--api-route=('),
  check('a trusted address that is none', '--trusted-ip=x'),
  check('a trusted proxy that is none', '--trusted-proxy-ip=10.0.0.0/99'),
  check('an unknown address header', '--reverse-proxy', '--trusted-proxy-ip=10.0.0.1', '--real-client-ip-header=X-Mine'),
  check('an unknown signing algorithm', '--oidc-enabled-signing-alg=XY1'),
  check('an issuer without its audience', '--skip-jwt-bearer-tokens', '--extra-jwt-issuers=https://a'),
  check('minimal cookies with a token header', '--session-cookie-minimal', '--set-authorization-header'),
  check('minimal cookies with refresh', '--session-cookie-minimal', '--cookie-refresh=1h'),
  check('minimal cookies with an access token header', '--session-cookie-minimal', '--pass-access-token'),
  check('an unknown address header without proxies', '--real-client-ip-header=X-Mine'),
  check('a basic header without a password', '--set-basic-auth'),
  check('two headers of one name', '--set-basic-auth', '--basic-auth-password=p', '--set-authorization-header'),
  check('an unknown scheme of an upstream', '--upstream=ftp://a'),
  check('two upstreams at one path', '--upstream=static://200', '--upstream=static://202'),
  check('a secret file that is not there', '--client-secret=', '--client-secret-file=/no/such/file'),
  { what: 'nothing at all', args: ['--config-test'] },
  {
    ...check('skip rules behind proxies nobody named', '--reverse-proxy', '--skip-auth-route=^/open'),
    stricter: 'everybody could skip sign-in by a header; --compat allows it',
  },
  check('the same where it is asked for', '--reverse-proxy', '--skip-auth-route=^/open', '--trusted-proxy-ip=10.0.0.1'),
  {
    what: 'an OIDC provider without its issuer',
    args: [...flags, '--provider=oidc', '--config-test'],
    stricter: 'the original says so when it starts',
  },
  checkFile('an unknown key', 'cookie_nme = "x"'),
  checkFile('a file that is no TOML', 'cookie_name = "x'),
  checkFile('keys in any case', 'COOKIE_Name = "x"'),
  checkFile('a duration in nanoseconds', 'cookie_expire = 24'),
  checkFile('a duration as a text without a unit', 'cookie_expire = "24"'),
  checkFile('a duration that is none', 'cookie_expire = "soon"'),
  checkFile('a duration as a list', 'cookie_expire = [1]'),
  checkFile('switches as texts and numbers', 'cookie_secure = "f"\ncookie_httponly = 2\nreverse_proxy = ""'),
  checkFile('a switch that is neither, in a file', 'cookie_secure = "yes"'),
  checkFile('numbers as texts and fractions', 'logging_max_size = "5"\nlogging_max_age = 5.7'),
  checkFile('a number that is none, in a file', 'logging_max_size = "5x"'),
  checkFile('texts as numbers and switches', 'cookie_name = 5\ncookie_path = true'),
  checkFile('a text as a list', 'cookie_name = ["a"]'),
  checkFile('a text as a date', 'cookie_name = 2020-01-01'),
  checkFile('lists of numbers', 'email_domains = [1, true]\nwhitelist_domains = 5'),
  checkFile('a table', '[cookie]\nname = "x"'),
  { ...check('a variable that is no switch'), env: { OAUTH2_PROXY_COOKIE_SECURE: 'yes' } },
  { ...check('a variable nobody knows'), env: { OAUTH2_PROXY_NO_SUCH_KEY: 'x' } },
  { ...check('a duration variable without a unit'), env: { OAUTH2_PROXY_COOKIE_EXPIRE: '24' } },
  checkAlpha('a plain alpha file', alphaProvider),
  checkAlpha('an unknown key of an alpha file', `${alphaProvider}    colour: red\n`),
  checkAlpha('a number for a text', alphaProvider.replace('clientID: id', 'clientID: 1')),
  checkAlpha('a text for a list', `${alphaProvider}    allowedGroups: admins\n`),
  checkAlpha('a text for a switch', `${alphaProvider}    skipClaimsFromProfileURL: "true"\n`),
  checkAlpha('keys of an alpha file in any case', alphaProvider.replace('clientID', 'CLIENTid')),
  checkAlpha('a flag the alpha file stands for', alphaProvider, '--client-id=id'),
  {
    ...checkAlpha('a key the alpha file stands for', alphaProvider, '--config', 'proxy.cfg'),
    files: { 'alpha.yaml': alphaProvider, 'proxy.cfg': 'client_id = "id"' },
  },
  { ...checkAlpha('a variable the alpha file stands for', alphaProvider), env: { OAUTH2_PROXY_CLIENT_ID: 'id' } },
  {
    ...checkAlpha('variables in an alpha file', alphaProvider.replace('shh', '${SECRET}').replace('id\n', '${ID:-id}\n')),
    env: { SECRET: 'shh' },
  },
  checkAlpha('a variable that is not set', alphaProvider.replace('shh', '${NO_SUCH_SECRET}')),
  checkAlpha('a brace that is not closed', alphaProvider.replace('shh', '${SECRET')),
  checkAlpha('two providers of one id', alphaProvider + alphaProvider.replace('providers:\n', '')),
  checkAlpha('a provider without an id', alphaProvider.replace('id: main', 'name: main')),
  checkAlpha('no provider', 'server:\n  bindAddress: :4180\n'),
  checkAlpha(
    'headers from claims and secrets',
    `${alphaProvider}injectResponseHeaders:
  - name: X-Tenant
    values:
      - claimSource: {claim: tenant, prefix: "t-"}
      - secretSource: {value: shared}
`,
  ),
  checkAlpha(
    'a value that is a claim and a secret',
    `${alphaProvider}injectResponseHeaders:
  - name: X-Tenant
    values:
      - claimSource: {claim: tenant}
        secretSource: {value: shared}
`,
  ),
  checkAlpha(
    'two alpha headers of one name',
    `${alphaProvider}injectResponseHeaders:
  - {name: X-A, values: [{claimSource: {claim: user}}]}
  - {name: X-A, values: [{claimSource: {claim: email}}]}
`,
  ),
  checkAlpha(
    'a secret from two places',
    `${alphaProvider}injectRequestHeaders:
  - {name: X-A, values: [{secretSource: {value: a, fromEnv: HOME}}]}
`,
  ),
  checkAlpha(
    'a header without a name',
    `${alphaProvider}injectRequestHeaders:
  - {values: [{claimSource: {claim: user}}]}
`,
  ),
  checkAlpha('a static upstream', `${alphaProvider}upstreamConfig:\n  upstreams:\n    - {id: a, path: /, static: true, staticCode: 204}\n`),
  checkAlpha('an upstream without an id', `${alphaProvider}upstreamConfig:\n  upstreams:\n    - {path: /, static: true}\n`),
]
