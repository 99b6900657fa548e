import { expect, test } from 'vitest'
import { parseYaml } from '../config/yaml-source.ts'
import { formatProblem, namedSource, Problems } from '../kit/problems.ts'
import { type BrokerConfig, parseBrokerConfig } from './config.ts'
import { unusedBrokerKeys } from './unused-keys.ts'

const bcrypt = '$2y$12$4K/VkmDd1q1Orb3xAt82zu8gk7Ad6ReFR4LCP9UeYE90NLiN9Df72'

function read(
  text: string,
  env: Record<string, string> = {},
): { config: BrokerConfig | undefined; problems: string[] } {
  const problems = new Problems()
  const document = parseYaml({ file: 'dex.yaml', text, locate: (position) => position }, problems)
  if (!document) throw new Error('the test’s own YAML is broken')
  return { config: parseBrokerConfig(document, { env, problems }), problems: problems.list.map(formatProblem) }
}

const kubeflow = `issuer: http://dex.auth.svc.cluster.local:5556/dex
storage:
  type: kubernetes
  config:
    inCluster: true
web:
  http: 0.0.0.0:5556
logger:
  level: "debug"
  format: text
oauth2:
  skipApprovalScreen: true
enablePasswordDB: true
staticPasswords:
- email: user@example.com
  hashFromEnv: DEX_USER_PASSWORD
  username: user
  userID: "15841185641784"
staticClients:
- idEnv: OIDC_CLIENT_ID
  redirectURIs: ["/oauth2/callback"]
  name: 'Dex Login Application'
  secretEnv: OIDC_CLIENT_SECRET
connectors:
- type: oidc
  id: keycloak
  name: keycloak
  config:
    issuer: $KEYCLOAK_ISSUER
    clientID: \${CLIENT_ID}
    clientSecret: $CLIENT_SECRET
    redirectURI: http://dex.auth.svc.cluster.local:5556/dex/callback
    insecure: false
    insecureSkipEmailVerified: true
    userNameKey: email
    scopes:
    - openid
    - profile
`
const kubeflowEnv = {
  DEX_USER_PASSWORD: bcrypt,
  OIDC_CLIENT_ID: 'kubeflow-oidc-authservice',
  OIDC_CLIENT_SECRET: 'proxy-secret',
  KEYCLOAK_ISSUER: 'https://keycloak.example.com/realms/prokube',
  CLIENT_ID: 'dex',
  CLIENT_SECRET: 'upstream-secret',
}

test('Kubeflow’s configuration is read, its environment resolved', () => {
  const { config, problems } = read(kubeflow, kubeflowEnv)
  expect(problems).toEqual([
    'dex.yaml:33:5: warning: connectors[0].config.insecure: unknown key `insecure` is ignored, as Dex does',
  ])
  expect(config).toMatchObject({
    issuer: 'http://dex.auth.svc.cluster.local:5556/dex',
    oauth2: { skipApprovalScreen: true, responseTypes: ['code'] },
    expiry: { idTokens: 86_400_000, refreshTokens: { reuseInterval: 0, disableRotation: false } },
    staticPasswords: [{ email: 'user@example.com', hash: bcrypt, emailVerified: true, userID: '15841185641784' }],
    staticClients: [{ id: 'kubeflow-oidc-authservice', secret: 'proxy-secret', redirectURIs: ['/oauth2/callback'] }],
    connectors: [
      {
        type: 'oidc',
        config: {
          issuer: 'https://keycloak.example.com/realms/prokube',
          clientID: 'dex',
          clientSecret: 'upstream-secret',
          insecureEnableGroups: false,
        },
      },
    ],
    sessions: { enabled: true },
  })
})

test('a variable that is not set is an error that names it, never an empty secret', () => {
  const { config, problems } = read(kubeflow, {
    ...kubeflowEnv,
    OIDC_CLIENT_SECRET: '',
    CLIENT_SECRET: 'a',
    CLIENT_ID: 'b',
  })
  expect(config).toBeUndefined()
  expect(problems).toContain(
    'dex.yaml:23:3: error: staticClients[0].secretEnv: the environment variable `OIDC_CLIENT_SECRET` is empty; set it; Dex would go on with nothing',
  )
  expect(read(kubeflow, {}).problems.filter((line) => line.includes('error'))).toHaveLength(6)
})

test('keys match in any case, unquoted numbers are text where text is wanted, unknown keys are named with the nearest', () => {
  const { config, problems } = read(
    `ISSUER: https://example.com/dex
storage: {type: memory}
web: {HTTP: 5556, tlsminversion: 1.2}
enablePasswordDb: true
oauth2: {skipApprovalScren: true}
staticclients: [{ID: 17, Secret: true, name: x}]
`,
  )
  expect(problems).toEqual([
    'dex.yaml:5:10: warning: oauth2.skipApprovalScren: unknown key `skipApprovalScren` is ignored, as Dex does; did you mean `skipApprovalScreen`?',
  ])
  expect(config).toMatchObject({
    web: { http: '5556', tlsMinVersion: '1.2' },
    enablePasswordDB: true,
    staticClients: [{ id: '17', secret: 'true', name: 'x' }],
  })
})

test('everything Dex refuses to start on is reported at once, with its line', () => {
  const { config, problems } = read(
    `enablePasswordDB: false
web: {https: 0.0.0.0:443, tlsMinVersion: "1.3", tlsMaxVersion: "1.2"}
grpc: {tlsCert: a, tlsClientCA: b}
expiry: {idTokens: 1d}
staticPasswords:
- {email: a@example.com, hash: nonsense, userID: "1"}
staticClients:
- {id: a, secret: b}
- {id: c, name: c}
connectors:
- {type: gihub, id: g, name: g, config: {}}
- {type: oidc, id: o, config: {issuer: nope, clientID: x, hostedDomains: [example.com]}}
`,
  )
  expect(config).toBeUndefined()
  expect(problems).toEqual([
    'dex.yaml:1:1: error: no storage supplied in config file; add `storage: {type: memory}`',
    'dex.yaml:2:7: error: web.https: no cert specified for HTTPS',
    'dex.yaml:2:7: error: web.https: no private key specified for HTTPS',
    'dex.yaml:2:27: error: web.tlsMinVersion: TLSMinVersion greater than TLSMaxVersion',
    'dex.yaml:3:1: error: grpc: no address specified for gRPC',
    'dex.yaml:3:1: error: grpc: must specific both a gRPC TLS cert and key',
    'dex.yaml:5:1: error: staticPasswords: cannot specify static passwords without enabling password db; set `enablePasswordDB: true`',
    'dex.yaml:9:3: error: staticClients[1]: client c needs a `secret` or `secretEnv`; or `public: true` for an application that cannot keep one',
    'dex.yaml:1:1: error: issuer: no issuer specified in config file',
    'dex.yaml:4:10: error: expiry.idTokens: must be a Go duration such as `24h` or `1m30s`, got `1d`',
    'dex.yaml:8:3: error: staticClients[0].name: a client needs a `name`',
    'dex.yaml:6:26: error: staticPasswords[0].hash: malformed bcrypt hash; make one with `htpasswd -bnBC 10 "" PASSWORD | tr -d ":\\n"`',
    'dex.yaml:11:4: error: connectors[0].type: unknown type `gihub` (known: oidc, mockCallback, mockPassword)',
    'dex.yaml:12:3: error: connectors[1].name: a connector needs `name`',
    'dex.yaml:12:32: error: connectors[1].config.issuer: must be the http(s) URL of the identity provider',
    'dex.yaml:12:59: error: connectors[1].config.hostedDomains: is not supported; use the `google` connector in Dex',
  ])
})

test('a hash may be wrapped in base64 and one that is too weak or too slow is refused', () => {
  const withHash = (hash: string) =>
    read(`issuer: https://example.com/dex
storage: {type: memory}
web: {http: a}
enablePasswordDB: true
staticPasswords: [{email: a@example.com, userID: "1", hash: '${hash}'}]
`)
  expect(withHash(Buffer.from(bcrypt).toString('base64')).config?.staticPasswords[0]?.hash).toBe(bcrypt)
  const weak = bcrypt.replace('$12$', '$04$')
  expect(withHash(weak).problems[0]).toMatch(/bcrypt cost must be 10 to 16, got 4/)
})

test('the settings without effect are listed with their places and reasons', () => {
  const document = {
    value: {
      issuer: 'x',
      storage: { type: 'memory' },
      Web: { http: 'a' },
      connectors: [{ config: { rootCAs: ['x'] } }],
    },
    source: namedSource('x'),
  }
  expect(unusedBrokerKeys(document.value)).toEqual([
    { path: ['storage'], reason: 'state is kept in Gatehouse’s own database' },
    { path: ['Web', 'http'], reason: 'the listener belongs to Gatehouse' },
    {
      path: ['connectors', 0, 'config', 'rootCAs'],
      reason: 'certificates are checked against the system store; add a CA by NODE_EXTRA_CA_CERTS',
    },
  ])
})

test('connector settings that will not do what they seem to are warned of', () => {
  const { config, problems } = read(`issuer: https://example.com/dex
storage: {type: memory}
web: {http: a}
connectors:
- type: oidc
  id: o
  name: o
  config:
    issuer: https://id.example.com
    clientID: dex
    redirectURI: https://other.example.com/dex/callback
    claimModifications: {filterGroupClaims: {groupsFilter: '(?=x)'}}
`)
  expect(config).toBeDefined()
  expect(problems).toEqual([
    'dex.yaml:11:5: warning: connectors[0].config.redirectURI: `https://other.example.com/dex/callback` is not the issuer followed by /callback; Dex would refuse every sign-in; write `https://example.com/dex/callback`, or make the issuer `https://other.example.com/dex`, if browsers know it so',
    'dex.yaml:12:46: warning: connectors[0].config.claimModifications.filterGroupClaims.groupsFilter: `(?=x)` is no regular expression (RE2), so it filters nothing, as in Dex',
  ])
})
