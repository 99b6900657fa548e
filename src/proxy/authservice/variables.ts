/** A variable of oidc-authservice, in any of its generations, or one of our own. */
export interface AuthserviceVariable {
  /** Value where it is not set, as it would be written. */
  readonly fallback: string
  /** What it means, for docs/AUTHSERVICE.md. */
  readonly meaning: string
  /** Generations that know it: A (2020, Kubeflow to 1.6), B (1.7 and 1.8), C (the last); none for our own. */
  readonly generations: '' | 'A' | 'AB' | 'ABC' | 'BC' | 'C'
  /** Why it is understood but not acted on. */
  readonly ignored?: string
  /** The same, only where the proxy is a part of a chain. */
  readonly ignoredInChain?: string
}

type Generations = AuthserviceVariable['generations']
type Extra = Pick<AuthserviceVariable, 'ignored' | 'ignoredInChain'>

const known = (
  generations: Generations,
  fallback: string,
  meaning: string,
  extra: Extra = {},
): AuthserviceVariable => ({
  ...{ generations, fallback, meaning },
  ...extra,
})

const noServer: Extra = { ignoredInChain: 'the listener is configured elsewhere' }
const noStore: Extra = { ignoredInChain: 'sessions live in an encrypted cookie, so there is no store' }
const noTheme: Extra = { ignored: "the pages are Gatehouse's own" }

/** The audience Kubeflow's machine clients ask for, and the one Charmed Kubeflow's do. */
export const usualAudiences: readonly string[] = [
  'istio-ingressgateway.istio-system.svc.cluster.local',
  'istio-ingressgateway.kubeflow.svc.cluster.local',
]

/** Every variable, in the order of the documentation. */
export const authserviceVariables: Readonly<Record<string, AuthserviceVariable>> = {
  OIDC_PROVIDER: known('ABC', '', 'issuer; needed. It is asked again until it answers, so it may start later'),
  OIDC_AUTH_URL: known('ABC', '', 'where browsers sign in, if not where discovery says; may be a path (`/dex/auth`)'),
  OIDC_SCOPES: known('ABC', 'openid,email', 'with commas or spaces; `openid` is always asked for'),
  CLIENT_ID: known('ABC', '', 'needed'),
  CLIENT_SECRET: known('ABC', '', 'needed'),
  REDIRECT_URL: known('ABC', 'PREFIX/oidc/callback', 'URL or path of the callback; of generation A `…/login/oidc`'),
  CA_BUNDLE: known('BC', '', 'PEM file of authorities believed beside the system’s, for the provider', {
    ignoredInChain: 'write proxy.provider_ca_files',
  }),
  AUTHSERVICE_URL_PREFIX: known('BC', '/authservice/', 'path of its own routes'),
  SKIP_AUTH_URLS: known('BC', '', 'with commas: path prefixes that need no sign-in'),
  SKIP_AUTH_URI: known('A', '', 'the same with spaces'),
  HOMEPAGE_URL: known('BC', 'PREFIX/site/homepage', 'where a callback leads that brings no answer'),
  AFTER_LOGIN_URL: known('BC', '', 'where a login leads, with `?next=` the first URL; else that one'),
  STATIC_DESTINATION_URL: known('A', '', 'the same'),
  AFTER_LOGOUT_URL: known('BC', 'PREFIX/site/after_logout', 'last stop of a sign-out; `/` means our own page'),
  VERIFY_AUTH_URL: known('C', 'PREFIX/verify', 'below it nginx’s `auth_request` is answered: 204, 401 or 403'),
  USERID_CLAIM: known('ABC', 'email', 'claim that becomes the user id'),
  USERID_HEADER: known('ABC', 'kubeflow-userid', 'header with the user id'),
  USERID_PREFIX: known('ABC', '', 'put before the user id'),
  USERID_TRANSFORMERS: known('C', '', '`[{"matches": "REGEX", "replaces": "TEXT"}]`: the first that matches rewrites'),
  USERID_TOKEN_HEADER: known('A', 'kubeflow-userid-token', 'header with the raw ID token, in generation A only'),
  GROUPS_CLAIM: known('BC', 'groups', 'claim with the groups'),
  GROUPS_HEADER: known('BC', 'kubeflow-groups', 'header with the groups, joined by commas'),
  GROUPS_ALLOWLIST: known('BC', '*', 'with commas: one of these groups is needed'),
  AUTH_HEADER: known('C', 'Authorization', 'header of bearer tokens and session ids; `X-Auth-Token` is read, too'),
  ID_TOKEN_HEADER: known('C', 'Authorization', 'header of ID tokens'),
  AUTH_METHOD_HEADER: known('C', 'Auth-Method', 'tells the app `cookie` or `header`'),
  AUDIENCES: known('C', usualAudiences.join(','), 'of Kubernetes tokens and of access tokens that are JWTs'),
  KUBERNETES_AUTHN_ENABLED: known('C', 'true', 'service accounts by TokenReview; said `true`, a cluster is needed', {
    ignoredInChain: 'write proxy.kubernetes_token_audiences',
  }),
  ACCESS_TOKEN_AUTHN_ENABLED: known('C', 'true', 'whether access tokens are taken'),
  ACCESS_TOKEN_AUTHN: known('C', 'jwt', '`jwt`: verified by its signature; `opaque`: shown to the userinfo endpoint'),
  IDTOKEN_AUTHN_ENABLED: known('C', 'true', 'whether ID tokens for CLIENT_ID are taken'),
  CACHE_ENABLED: known('C', 'false', 'answers about tokens are always remembered, for a minute', {
    ignored: 'answers about tokens are always remembered, for a minute',
  }),
  CACHE_EXPIRATION_MINUTES: known('C', '5', '', { ignored: 'answers about tokens are remembered for a minute' }),
  EXTERNAL_AUTHZ_URL: known('C', '', 'is posted each request of a user: 2xx lets it pass, 401 and 403 tell why not'),
  STRICT_SESSION_VALIDATION: known('ABC', 'false', 'asks userinfo once a minute whether a session still counts'),
  SESSION_STORE_TYPE: known(
    'C',
    'boltdb',
    '`boltdb`: a SQLite file of ours beside SESSION_STORE_PATH; `redis`',
    noStore,
  ),
  SESSION_STORE_PATH: known('C', '/var/lib/authservice/data.db', 'whose directory is used', noStore),
  STORE_PATH: known('AB', '', 'the same', noStore),
  SESSION_STORE_REDIS_ADDR: known('C', '127.0.0.1:6379', '', noStore),
  SESSION_STORE_REDIS_PWD: known('C', '', '', noStore),
  SESSION_STORE_REDIS_DB: known('C', '0', '', noStore),
  OIDC_STATE_STORE_PATH: known('BC', '', '', {
    ignored: 'logins under way are sealed into cookies, so there is no store',
  }),
  SESSION_MAX_AGE: known('ABC', '86400', 'seconds'),
  SESSION_SAME_SITE: known('C', 'Lax', '`None`, `Lax` or `Strict`'),
  SERVER_HOSTNAME: known('ABC', '', 'address of the listeners; all of them unless set', noServer),
  SERVER_PORT: known('ABC', '8080', 'the check', noServer),
  READINESS_PROBE_PORT: known('C', '8081', '200 or 503 at any path', noServer),
  WEB_SERVER_PORT: known('BC', '8082', 'the pages `PREFIX/site/…`', noServer),
  CLIENT_NAME: known('BC', 'AuthService', 'name of the platform on the pages'),
  THEMES_URL: known('BC', 'themes', '', noTheme),
  THEME: known('BC', 'kubeflow', '', noTheme),
  TEMPLATE_PATH: known('BC', '', '', noTheme),
  LOG_LEVEL: known('BC', 'INFO', '`FATAL`, `ERROR`, `WARN`, `INFO` or `DEBUG`', noServer),
  PORT: known('AB', '', '', { ignored: 'was never read by oidc-authservice; use SERVER_PORT' }),
  SELF_URL: known('A', '', '', { ignored: 'is not needed' }),
  DISABLE_USERINFO: known('A', '', '', {
    ignored: 'is not needed: userinfo is asked only for claims the ID token lacks',
  }),
  GATEHOUSE_COOKIE_SECRET: known('', 'made from CLIENT_SECRET', 'seals cookies: 32 random bytes as base64url', {
    ignoredInChain: 'the chain has a secret of its own',
  }),
  GATEHOUSE_COOKIE_SECURE: known('', '', '`true` where browsers come by https and REDIRECT_URL does not say so'),
  GATEHOUSE_GRPC_ADDRESS: known('', '', 'the check by gRPC: `0.0.0.0:9000`', {
    ignoredInChain: 'write proxy.grpc_address',
  }),
  GATEHOUSE_PATH_PREFIX: known('', '', 'what Emissary puts before paths (`path_prefix`): `/extauth`', noServer),
}

/** Variables beginning so are told to pages of the original. */
export const templateContext = 'TEMPLATE_CONTEXT_'
