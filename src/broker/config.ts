/**
 * Room `broker`: an OpenID Connect broker compatible with Dex 2.45 (its `config.yaml`, endpoints, token bytes and error
 * texts) with real sign-out. Users sign in through a connector; applications are its clients. It must not know the
 * realm, the proxy or the gateway, nor read files: it is given a parsed configuration and reaches others by `fetch`.
 */
import { z } from 'zod'
import { Problems, type SourceDocument } from '../kit/problems.ts'
import { parseWith } from '../kit/schema.ts'
import { bcryptHash } from './bcrypt-hash.ts'
import { checkStartup } from './config-checks.ts'
import { resolveEnvironment } from './config-environment.ts'
import { warnOfConnectors } from './connector-warnings.ts'
import { type ConnectorConfig, connectorConfigSchema } from './connectors/index.ts'
import { goDuration } from './go-duration.ts'
import { readLeniently } from './lenient-keys.ts'

const text = z.string().default('')
const flag = z.boolean().default(false)
const list = z.array(z.string()).default([])
const anything = z.record(z.string(), z.unknown())

const staticClientSchema = z.strictObject({
  id: z.string('a client needs an `id` or `idEnv`').min(1, 'must not be empty'),
  secret: text,
  name: z.string('a client needs a `name`').min(1, 'a client needs a `name`'),
  /** Compared as strings, so a bare path (`/oauth2/callback`) is one too and is emitted as it stands. */
  redirectURIs: list,
  /** Clients that may ask for tokens for this one. */
  trustedPeers: list,
  public: flag,
  logoURL: text,
  /** Where a sign-out may end; compared like `redirectURIs`. */
  postLogoutRedirectURIs: list,
  /** Told by POST when a session of the client ends; a path is one on the issuer's host. In Dex with its sessions to come. */
  backchannelLogoutURI: text.refine(
    (uri) => uri === '' || /^(https?:\/\/[^\s]+|\/[^/\s][^\s]*)$/.test(uri),
    'must be an http(s) URL, or a path on the issuer’s host',
  ),
  /** Connector ids this client accepts; absent means all. */
  allowedConnectors: z.array(z.string()).optional(),
})

const staticPasswordSchema = z.strictObject({
  email: z.string('a password needs an `email`').min(1, 'must not be empty'),
  /** A bcrypt hash, as it is or in base64. */
  hash: bcryptHash,
  username: text,
  name: text,
  preferredUsername: text,
  emailVerified: z.boolean().default(true),
  userID: text,
  groups: list,
})

const tlsVersion = z.enum(['', '1.2', '1.3'], 'supported TLS versions are: 1.2, 1.3').default('')

/**
 * The broker's configuration in Dex's vocabulary (dex cmd/dex/config.go), environment references resolved. Durations
 * are Go durations on the way in and milliseconds on the way out; `0` switches a refresh-token limit off.
 */
export const brokerConfigSchema = z.strictObject({
  /** `iss` of every token, and the base path of every endpoint. Its host may be one browsers never use. */
  issuer: z
    .string('no issuer specified in config file')
    .min(1, 'no issuer specified in config file')
    .regex(/^https?:\/\/[^/\s?#]+[^\s?#]*$/, {
      error: 'must be an http(s) URL without query and fragment',
      abort: true,
    })
    .refine((url) => URL.canParse(url), 'must be an http(s) URL without query and fragment'),
  oauth2: z
    .strictObject({
      grantTypes: z.array(z.string()).optional(),
      /** Any of `code`, `token`, `id_token`; several in one text are taken one by one. */
      responseTypes: z
        .array(
          z
            .string()
            .regex(
              /^(code|token|id_token)( (code|token|id_token))*$/,
              'unsupported response_type; known: code, token, id_token',
            ),
        )
        .default(['code']),
      skipApprovalScreen: flag,
      alwaysShowLoginScreen: flag,
      /** Connector that checks the credentials of the password grant; without it the grant is off. */
      passwordConnector: text,
    })
    .prefault({}),
  expiry: z
    .strictObject({
      /** Lifetime of ID and access tokens. */
      idTokens: goDuration('24h', { least: 1000 }),
      /** How long a visitor may take to sign in. */
      authRequests: goDuration('24h', { least: 1000 }),
      deviceRequests: goDuration('5m'),
      signingKeys: goDuration('6h', { least: 60_000 }),
      refreshTokens: z
        .strictObject({
          disableRotation: flag,
          reuseInterval: goDuration('0s'),
          validIfNotUsedFor: goDuration('0s'),
          absoluteLifetime: goDuration('0s'),
        })
        .prefault({}),
    })
    .prefault({}),
  staticClients: z.array(staticClientSchema).default([]),
  /** Adds the connector `local`. */
  enablePasswordDB: flag,
  staticPasswords: z.array(staticPasswordSchema).default([]),
  connectors: z.array(connectorConfigSchema).default([]),
  /** Ours: sign-out that reaches the identity provider. `enabled: false` gives Dex 2.45 without it. */
  sessions: z
    .strictObject({
      enabled: z.boolean().default(true),
      cookieName: z.string().default('dex_session'),
      /** How long after a sign-in its sign-out still reaches the identity provider. */
      absoluteLifetime: goDuration('720h'),
      validIfNotUsedFor: z.string().optional(),
      rememberMeCheckedByDefault: z.boolean().optional(),
      cookieEncryptionKey: z.string().optional(),
      ssoSharedWithDefault: z.string().optional(),
    })
    .prefault({}),
  signer: z
    .strictObject({
      type: z.enum(['local'], 'must be `local`; keys in Vault are not supported').default('local'),
      config: z
        .strictObject({
          keysRotationPeriod: goDuration('6h', { least: 60_000 }),
          algorithm: z.enum(['RS256', 'ES256']).default('RS256'),
        })
        .prefault({}),
    })
    .optional(),
  frontend: z
    .strictObject({
      dir: text,
      issuer: text,
      logoURL: text,
      theme: text,
      extra: z.record(z.string(), z.string()).default({}),
    })
    .prefault({}),
  web: z
    .strictObject({
      http: text,
      https: text,
      tlsCert: text,
      tlsKey: text,
      tlsMinVersion: tlsVersion,
      tlsMaxVersion: tlsVersion,
      headers: anything.default({}),
      allowedOrigins: list,
      allowedHeaders: list,
      clientRemoteIP: z.strictObject({ header: text, trustedProxies: list }).prefault({}),
    })
    .prefault({}),
  storage: z.strictObject({ type: text, config: anything.default({}) }).prefault({}),
  grpc: z
    .strictObject({
      addr: text,
      tlsCert: text,
      tlsKey: text,
      tlsClientCA: text,
      tlsMinVersion: tlsVersion,
      tlsMaxVersion: tlsVersion,
      reflection: flag,
    })
    .prefault({}),
  telemetry: z.strictObject({ http: text, enableProfiling: flag }).prefault({}),
  logger: z.strictObject({ level: text, format: text, excludeFields: list }).prefault({}),
})

/** What `openBroker` is given. */
export interface BrokerConfig extends z.output<typeof brokerConfigSchema> {
  readonly connectors: ConnectorConfig[]
}

/** A client of the broker, as `staticClients` has it. */
export type StaticClient = BrokerConfig['staticClients'][number]

/**
 * Reads a Dex `config.yaml` as Dex does: keys in any case, unknown ones with a warning, unquoted numbers where text is
 * wanted, `$VAR` in connector, storage and signer settings, `idEnv`/`secretEnv`/`hashFromEnv`. Unlike Dex it refuses a
 * variable that is not set, where Dex would let anyone in with an empty secret. Every problem is reported at once;
 * `undefined` where one is an error.
 */
export function parseBrokerConfig(
  document: SourceDocument,
  { env, problems }: { env: Readonly<Record<string, string | undefined>>; problems: Problems },
): BrokerConfig | undefined {
  const { source } = document
  const found = new Problems()
  const resolved = resolveEnvironment(document.value, { env, source, problems: found })
  const value = readLeniently(resolved, brokerConfigSchema, { source, problems: found })
  checkStartup(value, { source, problems: found })
  const told = new Set(found.list.map(({ path }) => path))
  const misfits = new Problems()
  const config = parseWith(brokerConfigSchema, value, { source, problems: misfits })
  if (config) warnOfConnectors(config, { source, problems: found })
  // A setting whose variable is not set is empty now: that it does not fit either is no news.
  found.list.push(...misfits.list.filter(({ path }) => !told.has(path)))
  problems.list.push(...found.list)
  return found.hasErrors ? undefined : config
}
