import { expect, test } from 'vitest'
import { directoryOf, load } from './config-world.ts'

const dex = `issuer: https://kubeflow.example.com/dex
storage: {type: memory}
web: {http: 0.0.0.0:5556}
staticClients:
- id: kubeflow
  name: Kubeflow
  secret: secret-of-the-client
  redirectURIs: [/oauth2/callback]
connectors:
- type: oidc
  id: keycloak
  name: Keycloak
  config:
    issuer: https://keycloak.example.com/realms/team
    clientID: dex
    clientSecret: secret-of-dex
    redirectURI: https://kubeflow.example.com/dex/callback
    insecureEnableGroups: true
    scopes: [profile, email, groups]
`

const proxy = `provider = "oidc"
oidc_issuer_url = "https://kubeflow.example.com/dex"
client_id = "kubeflow"
client_secret = "secret-of-the-client"
redirect_url = "/oauth2/callback"
relative_redirect_url = true
scope = "openid email groups"
email_domains = "*"
set_authorization_header = true
`

const realm = `{
  "realm": "team",
  "clients": [
    {
      "clientId": "dex",
      "secret": "secret-of-dex",
      "redirectUris": ["https://kubeflow.example.com/*"]
    }
  ]
}
`

const requestAuthentication = `apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: dex-jwt, namespace: istio-system}
spec:
  jwtRules:
  - issuer: https://kubeflow.example.com/dex
    outputClaimToHeaders:
    - {header: kubeflow-userid, claim: email}
    - {header: kubeflow-groups, claim: groups}
`

const policy = (action: string, paths: string[]) => `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: ${action.toLowerCase()}, namespace: istio-system}
spec:
  action: ${action}
${action === 'CUSTOM' ? '  provider: {name: oauth2-proxy}\n' : ''}  rules:
  - to:
    - operation:
        notPaths:
${paths.map((path) => `        - ${path}\n`).join('')}`

const files = { 'dex.yaml': dex, 'oauth2_proxy.cfg': proxy, 'realm.json': realm, 'ra.yaml': requestAuthentication }
const linesOf = (changed: Partial<Record<keyof typeof files | 'policies.yaml', string>>) =>
  load(directoryOf({ ...files, ...changed })).lines

const isError = (line: string) => line.includes(': error: ')

test('files that agree have no problems', () => {
  expect(linesOf({})).toEqual([])
})

test('a client id Dex does not know is told with those it knows', () => {
  expect(
    linesOf({ 'oauth2_proxy.cfg': proxy.replace('"kubeflow"', '"kubflow"').replace('/oauth2/c', '/oauth2/c') }),
  ).toEqual([
    'oauth2_proxy.cfg:3:1: error: client_id: no static client of Dex has the id `kubflow` (dex.yaml:4); known: `kubeflow`',
  ])
})

test('two secrets for one client are told, and neither is shown', () => {
  expect(linesOf({ 'oauth2_proxy.cfg': proxy.replace('secret-of-the-client', 'another') })).toEqual([
    'oauth2_proxy.cfg:4:1: error: client_secret: is not the secret of the static client `kubeflow` (dex.yaml:5); give both the same Secret',
  ])
})

test('a line break at the end of a secret is called that', () => {
  const broken = dex.replace('secret: secret-of-the-client', 'secret: "secret-of-the-client\\n"')
  expect(linesOf({ 'dex.yaml': broken })).toEqual([
    'oauth2_proxy.cfg:4:1: error: client_secret: is not the secret of the static client `kubeflow` (dex.yaml:5): one of them begins or ends with a blank or a line break; make the Secret of a text without one (`printf %s`, not `echo`)',
  ])
})

test('tokens that are verified elsewhere only are told', () => {
  const more = requestAuthentication.replace('dex-jwt', 'others').replace('com/dex', 'com/other')
  const moved = requestAuthentication.replace('namespace: istio-system', 'namespace: auth')
  expect(linesOf({ 'ra.yaml': `${moved}---\n${more}` }).filter(isError)).toEqual([
    'ra.yaml:6:5: error: spec.jwtRules[0]: tokens of `https://kubeflow.example.com/dex` are verified for other workloads, but not at the gateway, so every request would be refused; give it the namespace and the labels of the gateway',
  ])
})

test('a redirect URI must be registered as a string', () => {
  const absolute = proxy.replace('"/oauth2/callback"', '"https://kubeflow.example.com/oauth2/callback"')
  expect(linesOf({ 'oauth2_proxy.cfg': absolute.replace('relative_redirect_url = true\n', '') })).toEqual([
    'oauth2_proxy.cfg:5:1: error: redirect_url: `http://localhost:8080/oauth2/callback` is none of the redirectURIs of the static client `kubeflow` (dex.yaml:5); known: /oauth2/callback',
  ])
})

test('issuers must be alike to the letter, and so must the gateway’s', () => {
  expect(linesOf({ 'oauth2_proxy.cfg': proxy.replace('com/dex"', 'com/dex/"') })).toEqual([
    'oauth2_proxy.cfg:2:1: error: oidc_issuer_url: is `http://localhost:8080/dex/`, but the issuer of Dex is `http://localhost:8080/dex` (dex.yaml:1); write both alike, to the letter',
    'ra.yaml:6:5: error: spec.jwtRules[0]: nothing verifies tokens of `https://kubeflow.example.com/dex/`, so every request would be refused (known: `https://kubeflow.example.com/dex`); write the issuer of the tokens here, to the letter',
  ])
})

test('an issuer that is not set is called so', () => {
  expect(
    linesOf({ 'oauth2_proxy.cfg': proxy.replace(/^oidc_issuer_url.*$/m, '').replace('"oidc"', '"google"') }),
  ).toContain(
    'oauth2_proxy.cfg:1:1: error: `oidc_issuer_url` is not set, but the issuer of Dex is `http://localhost:8080/dex` (dex.yaml:1); write both alike, to the letter',
  )
})

test('a connector must call back where Dex listens', () => {
  expect(linesOf({ 'dex.yaml': dex.replace('com/dex/callback', 'com/callback') }).filter(isError)).toEqual([
    'dex.yaml:17:5: error: connectors[0].config.redirectURI: `http://localhost:8080/callback` is not where Dex listens, as its issuer is `http://localhost:8080/dex` (dex.yaml:1); its path must be `/dex/callback`',
  ])
})

test('a connector must be a client of the realm, with its secret and redirect URI', () => {
  expect(linesOf({ 'realm.json': realm.replace('"dex"', '"dax"') })).toEqual([
    'dex.yaml:15:5: error: connectors[0].config.clientID: Dex connector keycloak is the client `dex`, which the realm does not have (realm.json:3); add it to the realm file',
  ])
  expect(linesOf({ 'realm.json': realm.replace('secret-of-dex', 'x').replace('/*"', '/other/*"') })).toEqual([
    "dex.yaml:16:5: error: connectors[0].config.clientSecret: the secret of Dex connector keycloak is not that of the realm's client `dex` (realm.json:4); write the same secret in both",
    "dex.yaml:17:5: error: connectors[0].config.redirectURI: `http://localhost:8080/dex/callback` is none of the redirectUris of the realm's client `dex` (realm.json:4); add it there",
  ])
})

test('a path exempt in only one of the two policies is a warning on its line', () => {
  const both = ['/dex/*', '/dex/**', '/oauth2/*']
  const policies = `${policy('CUSTOM', [...both, '/myapp/*'])}---\n${policy('DENY', [...both, '/argocd/*'])}`
  expect(linesOf({ 'policies.yaml': policies })).toEqual([
    'policies.yaml:14:11: warning: spec.rules[0].to[0].operation.notPaths[3]: `/myapp/*` is exempt here, but not in the other policy (policies.yaml:24): a browser gets 403 there; write it into both lists, or into neither',
    'policies.yaml:28:11: warning: spec.rules[0].to[0].operation.notPaths[3]: `/argocd/*` is exempt here, but not in the other policy (policies.yaml:10): a browser is sent to the platform’s own sign-in there; write it into both lists, or into neither',
  ])
})

test('groups that the gateway does not tell on are a warning', () => {
  const without = requestAuthentication.replace('    - {header: kubeflow-groups, claim: groups}\n', '')
  expect(linesOf({ 'ra.yaml': without })).toEqual([
    'ra.yaml:6:5: warning: spec.jwtRules[0]: groups stop at the gateway, so `kubeflow-groups` stays empty; add `{header: kubeflow-groups, claim: groups}` to outputClaimToHeaders',
  ])
})

test('two Dex configurations in one directory are an error at the second', () => {
  const { lines } = load(directoryOf({ 'a.yaml': dex, 'b.yaml': `# a copy\n${dex}` }))
  expect(lines).toEqual([
    'b.yaml:2:1: error: a second Dex configuration; the first is at a.yaml:1; leave only one of them in the directory',
  ])
})

const realmWith = (secret: string) => realm.replace('secret-of-dex', secret)

test.each(['CHANGEME', 'YOUR_CLIENT_SECRET', 'xxxxxxxx', '<secret>'])('the stand-in %s is no secret', (standIn) => {
  const files = {
    'dex.yaml': dex.replace('secret-of-the-client', standIn),
    'proxy.cfg': proxy.replace('secret-of-the-client', standIn),
  }
  const { chain, lines } = load(directoryOf(files))
  expect(chain).toBeUndefined()
  expect(lines).toEqual([
    'dex.yaml:7:3: error: staticClients[0].secret: the secret of the client `kubeflow` is the stand-in of a guide, so there is none; generate your own',
    'proxy.cfg:4:1: error: client_secret: the secret of oauth2-proxy (`client_secret`) is the stand-in of a guide, so there is none; generate your own',
  ])
})

test('nor is an empty one, nor the mask of a Keycloak export', () => {
  const files = { 'dex.yaml': dex.replace('secret-of-dex', "''"), 'realm.json': realmWith('**********') }
  expect(load(directoryOf(files)).lines).toEqual([
    'dex.yaml:16:5: error: connectors[0].config.clientSecret: the secret of the connector `keycloak` is empty, so there is none; generate your own',
    'realm.json:6:7: error: clients[0].secret: the secret of the client `dex` is masked, as Keycloak exports it, so there is none; write the real one, or generate your own',
  ])
})

test('a demo fills them in where both sides are here', () => {
  const files = {
    'dex.yaml': dex.replace('secret-of-dex', "''").replace('secret-of-the-client', 'CHANGEME'),
    'proxy.cfg': proxy.replace('secret-of-the-client', 'CHANGEME'),
    'realm.json': realmWith('**********'),
    'ra.yaml': requestAuthentication,
  }
  const { chain, lines } = load(directoryOf(files), { demo: true })
  expect(lines).toEqual([])
  expect(chain?.proxy?.client_secret).toMatch(/^[\w-]{43}$/)
  expect(chain?.broker?.staticClients[0]?.secret).toBe(chain?.proxy?.client_secret)
})

test('Dex’s configuration may be written as JSON', () => {
  const config = {
    issuer: 'https://kubeflow.example.com/dex',
    storage: { type: 'memory' },
    web: { http: '0.0.0.0:5556' },
    enablePasswordDB: true,
    staticClients: [{ id: 'kubeflow', name: 'K', secret: 'secret-of-the-client', redirectURIs: ['/oauth2/callback'] }],
  }
  const files = { 'dex.json': JSON.stringify(config, null, 2), 'proxy.cfg': proxy, 'ra.yaml': requestAuthentication }
  const { chain, report } = load(directoryOf(files))
  expect(chain?.broker?.staticClients[0]?.id).toBe('kubeflow')
  expect(report.lines.some(({ file, what }) => file === 'dex.json' && what === 'Dex configuration')).toBe(true)
  const discovery = JSON.stringify({ issuer: 'https://x.example', jwks_uri: 'https://x.example/keys' })
  expect(load(directoryOf({ ...files, 'discovery.json': discovery })).chain).toBeDefined()
})

test('the issuer nobody verifies is told as the files write it, not as it is called here', () => {
  const files = {
    'dex.yaml': dex,
    'proxy.cfg': proxy,
    'ra.yaml': requestAuthentication.replace('kubeflow.example.com/dex', 'kubeflow.example.com/dex2'),
  }
  const told = load(directoryOf(files), { demo: true }).lines.find((line) => line.includes('nothing verifies'))
  expect(told).toContain('nothing verifies tokens of `https://kubeflow.example.com/dex`')
  expect(told).toContain('(known: `https://kubeflow.example.com/dex2`)')
})

test('keys of TOML are told with their column', () => {
  const indented = proxy.replace('scope =', '  scope =').replace('email groups', 'email')
  const { lines } = load(directoryOf({ 'dex.yaml': dex, 'proxy.cfg': indented, 'ra.yaml': requestAuthentication }))
  expect(lines.find((line) => line.includes('groups stop'))).toMatch(/^proxy\.cfg:7:3: /)
})
