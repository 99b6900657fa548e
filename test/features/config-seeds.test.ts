import { expect, test } from 'vitest'
import { partAt } from '../../src/config/host-map.ts'
import { formatReport } from '../../src/config/report.ts'
import { directoryOf, fixture, load } from './config-world.ts'

const errorsOf = (lines: readonly string[]) => lines.filter((line) => line.includes(': error: '))

test('the guide to Dex with Keycloak loads, and its four files agree', () => {
  const { chain, lines } = load(fixture('seed-001'), { demo: true })
  expect(errorsOf(lines)).toEqual([])
  const [client] = chain?.broker?.staticClients ?? []
  const [connector] = chain?.broker?.connectors ?? []
  const [realm] = chain?.realm?.realms ?? []
  expect(chain?.broker?.issuer).toBe('http://localhost:8080/dex')
  expect(client).toMatchObject({ id: 'kubeflow-oidc-authservice', redirectURIs: ['/oauth2/callback'] })
  expect(chain?.proxy).toMatchObject({
    oidc_issuer_url: 'http://localhost:8080/dex',
    client_id: 'kubeflow-oidc-authservice',
    client_secret: client?.secret,
    redeem_url: 'http://dex.auth.svc.cluster.local:5556/dex/token',
    cookie_name: 'oauth2_proxy_kubeflow',
    cookie_secure: false,
    prompt: 'none',
  })
  expect(connector?.config).toMatchObject({
    issuer: 'http://localhost:8080/auth/realms/kubeflow',
    clientID: 'kubeflow-oidc-authservice',
    clientSecret: realm?.clients[0]?.secret,
    redirectURI: 'http://localhost:8080/dex/callback',
  })
  expect(realm).toMatchObject({ realm: 'kubeflow', displayName: 'Kubeflow' })
  expect(realm?.clients[0]).toMatchObject({
    redirectUris: ['http://localhost:8080/dex/callback'],
    attributes: {
      'post.logout.redirect.uris': 'http://localhost:8080/oauth2/sign_out##http://localhost:8080/dex/logout/callback',
    },
  })
  expect(chain?.gateway.requestAuthentications[0]?.jwtRules[0]?.issuer).toBe('http://localhost:8080/dex')
  expect(chain && partAt(chain.hosts, 'dex.auth.svc.cluster.local:5556')).toBe('broker')
})

test('the same directory loads alike a second time: made-up secrets stay', () => {
  const [first, second] = [
    load(fixture('seed-001'), { demo: true }).chain,
    load(fixture('seed-001'), { demo: true }).chain,
  ]
  expect(first?.proxy?.client_secret).toMatch(/^[\w-]{43}$/)
  expect(second?.proxy?.client_secret).toBe(first?.proxy?.client_secret)
  expect(second?.broker?.connectors).toEqual(first?.broker?.connectors)
})

test('following that guide leaves the groups empty, and every hop that drops them is named', () => {
  expect(load(fixture('seed-001'), { demo: true }).lines).toEqual([
    'config-map.yaml:34:7: warning: connectors[0].config: groups stop at the connector keycloak, so `kubeflow-groups` stays empty; set `insecureEnableGroups: true`',
    'config-map.yaml:42:9: warning: connectors[0].config.scopes: groups stop at the connector keycloak, so `kubeflow-groups` stays empty; add the scope `groups`',
    'oauth2_proxy.cfg:3:1: warning: scope: groups stop at oauth2-proxy, so `kubeflow-groups` stays empty; add the scope `groups`',
  ])
})

test('the report says per file what is honoured, changed, filled in and ignored, with lines', () => {
  const { report } = load(fixture('seed-001'), { demo: true })
  expect(formatReport(report).split('\n')).toEqual(
    expect.arrayContaining([
      'config-map.yaml',
      '  honoured    7  Dex configuration (ConfigMap dex, key config.yaml)',
      '  changed     7  issuer: https://kubeflow.example.com/dex → http://localhost:8080/dex',
      '  ignored     8  storage (state is kept in Gatehouse’s own database)',
      '  filled in  29  OIDC_CLIENT_SECRET: a generated secret (set in no file)',
      '  changed    35  connectors[0].config.issuer: https://keycloak.example.com/realms/ → http://localhost:8080/auth/realms/kubeflow',
      '  changed   21  redeem_url: http://dex.auth.svc.cluster.local:5556/dex/token → the broker here',
      'in no file',
      '  filled in  the two stock policies (no policy of the directory asks for a sign-in)',
    ]),
  )
})

test('no secret is told in the report or in a problem', () => {
  const { chain, lines, report } = load(fixture('stock'), { demo: true })
  const told = `${formatReport(report)}\n${lines.join('\n')}`
  for (const secret of [
    chain?.proxy?.client_secret,
    chain?.proxy?.cookie_secret,
    chain?.broker?.staticPasswords[0]?.hash,
  ]) {
    expect(secret).toBeTruthy()
    expect(told).not.toContain(secret)
  }
})

test('the paths of the prokube policies stay exempt in both, and the console joins them', () => {
  const { chain, lines } = load(fixture('seed-000'))
  expect(lines).toEqual([])
  const lists = JSON.stringify(chain?.gateway.authorizationPolicies)
  for (const path of ['/argocd/*', '/myapp/*', '/auth/*', '/gatehouse/*']) {
    expect(lists.split(`"${path}"`).length - 1, path).toBeGreaterThanOrEqual(2)
  }
})

test('template placeholders of a Dex file are filled from the Secret its Deployment reads', () => {
  const { chain } = load(fixture('seed-000'))
  expect(chain?.broker?.staticClients).toMatchObject([
    { id: 'oauth2-proxy', secret: 'proxy-secret-of-the-fixture' },
    {
      id: 'myapp-oidc-client',
      secret: 'myapp-secret-of-the-fixture',
      redirectURIs: ['http://localhost:8080/myapp/callback'],
    },
  ])
  expect(chain?.proxy).toMatchObject({ client_id: 'oauth2-proxy', client_secret: 'proxy-secret-of-the-fixture' })
  expect(chain?.realm?.realms).toMatchObject([
    { realm: 'prokube', users: [], clients: [{ clientId: 'dex', secret: 'keycloak-secret-of-the-fixture' }] },
  ])
})

test('an app that does not run here is answered by the echo app', () => {
  const { chain } = load(fixture('seed-000'))
  expect(chain && partAt(chain.hosts, 'myapp.myapp.svc.cluster.local')).toBe('echo')
})

test('oidc-authservice straight at Keycloak loads from its two env files', () => {
  const { chain, lines } = load(fixture('seed-002'))
  expect(errorsOf(lines)).toEqual([])
  expect(chain?.broker).toBeUndefined()
  expect(chain?.proxy).toMatchObject({
    oidc_issuer_url: 'http://localhost:8080/auth/realms/master',
    client_id: 'kubeflow-oidc-authservice',
    client_secret: chain?.realm?.realms[0]?.clients[0]?.secret,
    scope: 'openid profile email',
    redirect_url: 'http://localhost:8080/authservice/oidc/callback',
    authservice: {
      authorizationUrl: 'http://localhost:8080/auth/realms/master/protocol/openid-connect/auth',
      skipPrefixes: ['/authservice'],
      userIdHeader: 'kubeflow-userid',
    },
  })
  expect(chain?.realm?.realms[0]).toMatchObject({
    realm: 'master',
    clients: [{ redirectUris: ['http://localhost:8080/authservice/oidc/callback'] }],
  })
  expect(chain?.gateway.authorizationPolicies).toMatchObject([{ action: 'CUSTOM', provider: 'authservice' }])
  expect(chain?.gateway.requestAuthentications).toEqual([])
})

test('the two env files alone are enough', async () => {
  const { cpSync, mkdtempSync, rmSync } = await import('node:fs')
  const { tmpdir } = await import('node:os')
  const { join } = await import('node:path')
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-config-'))
  for (const name of ['params.env', 'secret_params.env']) {
    cpSync(join(fixture('seed-002'), name), join(directory, name))
  }
  const { chain } = load(directory)
  rmSync(directory, { recursive: true })
  expect(chain?.proxy).toMatchObject({
    client_id: 'kubeflow-oidc-authservice',
    authservice: { prefix: '/authservice' },
  })
})

test('stock Kubeflow, as kustomize prints it, keeps the in-cluster issuer and routes it to the broker', () => {
  const { chain, lines } = load(fixture('stock'), { demo: true })
  expect(errorsOf(lines)).toEqual([])
  const issuer = 'http://dex.auth.svc.cluster.local:5556/dex'
  expect(chain?.broker).toMatchObject({ issuer, staticPasswords: [{ email: 'user@example.com' }] })
  expect(chain?.proxy).toMatchObject({ oidc_issuer_url: issuer, skip_jwt_bearer_tokens: true, cookie_secure: false })
  expect(chain?.gateway.requestAuthentications[0]?.jwtRules[0]?.issuer).toBe(issuer)
  expect(chain?.realm).toBeUndefined()
  const partOf = (host: string) => chain && partAt(chain.hosts, host)
  expect(partOf('dex.auth.svc')).toBe('broker')
  expect(partOf('oauth2-proxy.oauth2-proxy.svc.cluster.local')).toBe('proxy')
  expect(partOf('centraldashboard.kubeflow.svc.cluster.local')).toBe('console')
  expect(partOf('jupyter-web-app-service.kubeflow.svc.cluster.local')).toBe('echo')
  expect(partOf('accounts.google.com')).toBeUndefined()
})

test('secrets published with Kubeflow are refused outside demo mode, each at its line', () => {
  const { chain, lines } = load(fixture('stock'))
  expect(chain).toBeUndefined()
  expect(lines).toEqual([
    "kubeflow.yaml:72:23: error: this secret is the client secret committed in Kubeflow's manifests, so everyone knows it; generate your own",
    "kubeflow.yaml:80:22: error: this secret is the hash of Kubeflow's default password 12341234, so everyone knows it; generate your own",
    "kubeflow.yaml:236:18: error: this secret is the client secret committed in Kubeflow's manifests, so everyone knows it; generate your own",
    "kubeflow.yaml:237:18: error: this secret is the cookie secret committed in Kubeflow's manifests, so everyone knows it; generate your own",
  ])
})

test('of a broken directory every problem is told at once, with file and line', () => {
  const { chain, problems } = load(fixture('broken'))
  expect(chain).toBeUndefined()
  const told = problems.map(({ file, line, path, severity }) => `${severity} ${file}:${line} ${path}`.trim())
  expect(told).toEqual([
    'error dex.yaml:8 issuer',
    'error dex.yaml:14 expiry.idTokens',
    'error dex.yaml:16 staticClients[0].name',
    'error dex.yaml:21 staticClients[1].secretEnv',
    'error dex.yaml:24 connectors[0].type',
    'error dex.yaml:36 data.OIDC_CLIENT_SECRET',
    'error istio.yaml:1',
    'error istio.yaml:12 spec.rules[0].to[0].operation',
    'error istio.yaml:13 spec.rules[0].to[0].operation.notPath',
    'error istio.yaml:21 spec.action',
    'error istio.yaml:34 spec.jwtRules[0].issuer',
    'error istio.yaml:35 spec.jwtRules[0].forwardOriginalToken',
    'error istio.yaml:47 spec.http[0].match[0].uri.regex',
    'error mesh.yaml:3 extensionProviders[0].envoyExtAuthzHttp',
    'error mesh.yaml:5 extensionProviders[0].envoyExtAuthzHttp.timeout',
    'error oauth2_proxy.cfg:1 oidc_jwks_url',
    'error oauth2_proxy.cfg:5 cookie_secret',
    'error oauth2_proxy.cfg:6 cookie_nmae',
    'error oauth2_proxy.cfg:8 upstreams',
    'error oauth2_proxy.cfg:9 skip_auth_routes',
    'error oauth2_proxy.cfg:15 cookie_expire',
    'error params.env:2',
    'error realm.json:2 realm',
    'error realm.json:3 enabled',
    'error realm.json:6 clients[0].clientId',
    'error realm.json:6 clients[0].clientID',
    'error realm.json:7 clients[0].redirectUris',
    'error twice.yaml:7',
  ])
})

test('policies and the static client of an app alone are a chain: oauth2-proxy is a client of its own', () => {
  const directory = directoryOf({
    'config.yaml': `issuer: https://cluster.example.com/dex
storage: {type: memory}
web: {http: "0.0.0.0:5556"}
connectors:
- {type: oidc, id: keycloak, name: Keycloak, config: {issuer: "https://cluster.example.com/auth/realms/prokube",
   clientID: dex, clientSecret: the-secret-of-dex, redirectURI: "https://cluster.example.com/dex/callback",
   insecureEnableGroups: true, scopes: [openid, profile, email, groups]}}
staticClients:
- id: {{ .Env.MYAPP_OIDC_CLIENT_ID }}
  name: 'MyApp OIDC Auth Service'
  redirectURIs: ["https://{{ .Env.DOMAIN }}/myapp/callback"]
  secret: "{{ .Env.MYAPP_OIDC_CLIENT_SECRET }}"
`,
  })
  const env = { DOMAIN: 'cluster.example.com', MYAPP_OIDC_CLIENT_ID: 'myapp', MYAPP_OIDC_CLIENT_SECRET: 'secret-of-it' }
  const { chain, lines, report } = load(directory, { env })
  expect(lines).toEqual([])
  expect(chain?.broker?.staticClients).toMatchObject([
    { id: 'myapp', redirectURIs: ['http://localhost:8080/myapp/callback'] },
    { id: 'gatehouse-proxy', redirectURIs: ['/oauth2/callback'], postLogoutRedirectURIs: ['/oauth2/signed_out'] },
  ])
  expect(chain?.proxy).toMatchObject({
    client_id: 'gatehouse-proxy',
    client_secret: chain?.broker?.staticClients[1]?.secret,
  })
  expect(formatReport(report)).toContain('a static client of Dex: `gatehouse-proxy` (none is for oauth2-proxy)')
})
