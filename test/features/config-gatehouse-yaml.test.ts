import { join } from 'node:path'
import { expect, test } from 'vitest'
import { defaultChain } from '../../src/config/default-chain.ts'
import { loadGatehouseYaml } from '../../src/config/gatehouse-yaml.ts'
import { formatProblem } from '../../src/kit/problems.ts'
import { directoryOf, secrets } from './config-world.ts'

const publicUrl = 'https://platform.example.com'

function load(files: Readonly<Record<string, string>>, env: Readonly<Record<string, string>> = {}) {
  const directory = directoryOf(files)
  const loaded = loadGatehouseYaml(join(directory, 'gatehouse.yaml'), { env, secretsOf: () => secrets })
  return { ...loaded, directory, lines: loaded.problems.map((it) => formatProblem(it).replaceAll(`${directory}/`, '')) }
}

test('a public URL alone is the default chain', () => {
  const { chain, lines, directory, dataDirectory } = load({ 'gatehouse.yaml': `publicUrl: ${publicUrl}\n` })
  const expected = defaultChain({ publicUrl, secrets, apps: [] })
  expect(lines).toEqual([])
  expect(dataDirectory).toBe(join(directory, '.gatehouse'))
  expect(chain?.realm).toEqual(expected.realm)
  expect(chain?.broker?.staticClients).toEqual(expected.broker?.staticClients)
  expect(chain?.broker?.connectors).toEqual(expected.broker?.connectors)
  expect(chain?.proxy).toEqual(expected.proxy)
  expect(chain?.gateway.authorizationPolicies.map(({ name }) => name)).toEqual(
    expected.gateway.authorizationPolicies.map(({ name }) => name),
  )
  expect(chain?.hosts).toEqual(expected.hosts)
})

test('Dex alone runs from its own file', () => {
  const { chain, lines } = load({
    'gatehouse.yaml': `publicUrl: ${publicUrl}\nrealm: false\nproxy: false\nbroker: {from: config.yaml}\n`,
    'config.yaml': `issuer: ${publicUrl}/dex
storage: {type: memory}
web: {http: 0.0.0.0:5556}
connectors: [{type: mockCallback, id: mock, name: Mock}]
staticClients: [{id: argo, name: Argo CD, secret: of-argo, redirectURIs: [https://argo.example.com/callback]}]
`,
  })
  expect(lines).toEqual([])
  expect(Object.keys(chain ?? {})).not.toContain('realm')
  expect(Object.keys(chain ?? {})).not.toContain('proxy')
  expect(chain?.broker?.staticClients.map(({ id }) => id)).toEqual(['argo'])
})

test('what is told to be ignored is what was written', () => {
  const ignoredOf = (broker: string) => {
    const { report } = load({ 'gatehouse.yaml': `publicUrl: ${publicUrl}\nbroker:\n  ${broker}\n` })
    return report.lines.flatMap(({ kind, what }) => (kind === 'ignored' ? what : []))
  }
  expect(ignoredOf('expiry: {idTokens: 1h}')).toEqual([])
  expect(ignoredOf('storage: {type: etcd}')).toEqual(['storage'])
})

test('a section is laid over the default in the words of the original', () => {
  const { chain, lines } = load(
    {
      'gatehouse.yaml': `publicUrl: ${publicUrl}
data: state
realm:
  realm: team
  users: [{username: ada, email: ada@example.com}]
broker:
  expiry: {idTokens: 1h}
proxy:
  cookie_name: my_cookie
  cookie_secret: $COOKIE_SECRET
apps:
- {name: wiki, prefix: /wiki/, host: wiki.wiki.svc.cluster.local, port: 8080, exempt: true}
`,
    },
    { COOKIE_SECRET: 'b'.repeat(32) },
  )
  expect(lines).toEqual([])
  expect(chain?.broker?.expiry.idTokens).toBe(3_600_000)
  expect(chain?.broker?.connectors[0]?.config).toMatchObject({ issuer: `${publicUrl}/auth/realms/team` })
  expect(chain?.realm?.realms).toMatchObject([{ realm: 'team', clients: [{ clientId: 'gatehouse-broker' }] }])
  expect(chain?.proxy).toMatchObject({ cookie_name: 'my_cookie', cookie_secret: 'b'.repeat(32) })
  expect(JSON.stringify(chain?.gateway.authorizationPolicies).split('"/wiki/*"').length - 1).toBeGreaterThanOrEqual(2)
})

test('a part that is `false` does not run', () => {
  const { chain, lines } = load({
    'gatehouse.yaml': `publicUrl: ${publicUrl}
realm: false
broker:
  enablePasswordDB: true
  staticPasswords: []
`,
  })
  expect(lines).toEqual([])
  expect(chain?.realm).toBeUndefined()
  expect(chain?.broker?.connectors).toEqual([])
})

test('sections may be files of the originals, named relative to gatehouse.yaml', () => {
  const { chain, lines } = load({
    'etc/gatehouse.yaml': '',
    'gatehouse.yaml': `publicUrl: ${publicUrl}
realm: [{from: realms/team.json}]
proxy: {from: oauth2_proxy.cfg}
gateway: {files: [istio, mesh.yaml]}
`,
    'realms/team.json': '{"realm": "team"}',
    'oauth2_proxy.cfg': `provider = "oidc"
oidc_issuer_url = "${publicUrl}/dex"
redirect_url = "/oauth2/callback"
relative_redirect_url = true
scope = "openid email groups"
email_domains = "*"
`,
    'istio/ra.yaml': `apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: tokens, namespace: istio-system}
spec:
  jwtRules:
  - {issuer: "${publicUrl}/dex", outputClaimToHeaders: [{header: kubeflow-groups, claim: groups}]}
`,
    'mesh.yaml': 'pathNormalization: {normalization: MERGE_SLASHES}\n',
  })
  expect(lines).toEqual([])
  expect(chain?.realm?.realms[0]?.realm).toBe('team')
  expect(chain?.proxy?.client_id).toBe('gatehouse-proxy')
  expect(chain?.proxy?.client_secret).toBe(chain?.broker?.staticClients[0]?.secret)
  expect(chain?.gateway.requestAuthentications.map(({ name }) => name)).toEqual(['tokens'])
  expect(chain?.gateway.meshConfig.pathNormalisation).toBe('MERGE_SLASHES')
})

test('problems of every section are told at once, at their lines', () => {
  const { chain, lines } = load({
    'gatehouse.yaml': `publicUrl: ${publicUrl}
realm:
- realm: "no spaces"
- from: absent.json
broker:
  connectors: [{type: oidc, id: x, name: X, config: {issuer: nonsense, clientID: a}}]
proxy:
  cookie_nam: x
gateway:
  files: [nowhere]
`,
  })
  expect(chain).toBeUndefined()
  expect(lines).toEqual([
    'gatehouse.yaml:3:3: error: realm[0].realm: must be a name without spaces and `/ ? # % \\`',
    'gatehouse.yaml:4:3: error: realm[1].from: no such file `absent.json`; name a file relative to gatehouse.yaml',
    'gatehouse.yaml:6:54: error: broker.connectors[0].config.issuer: must be the http(s) URL of the identity provider',
    'gatehouse.yaml:8:3: error: proxy.cookie_nam: unknown key `cookie_nam`; did you mean `cookie_name`?',
    'gatehouse.yaml:10:11: error: gateway.files[0]: no such file `nowhere`; name a file or a directory',
  ])
})

test('a misspelt section and a public URL with a path are told', () => {
  const { lines } = load({ 'gatehouse.yaml': 'publicUrl: https://example.com/path\nbrokers: {}\n' })
  expect(lines).toEqual([
    'gatehouse.yaml:1:1: error: publicUrl: must be an origin such as `https://platform.example.com`',
    'gatehouse.yaml:2:1: error: brokers: unknown key `brokers`; did you mean `broker`?',
  ])
})

test('a file without anything in it is told, and so is what it lacks', () => {
  expect(load({ 'gatehouse.yaml': '# publicUrl: later\n' }).lines).toEqual([
    'gatehouse.yaml: error: says nothing; write at least `publicUrl: http://localhost:8080`',
  ])
  expect(load({ 'gatehouse.yaml': 'apps: [{name: a, prefix: /a/, host: a, port: 99999}]\n' }).lines).toEqual([
    'gatehouse.yaml:1:1: error: publicUrl: is missing',
    'gatehouse.yaml:1:40: error: apps[0].port: must be at most 65535',
  ])
})

test('an app that signs its users in has a client with the secret it was told', () => {
  const app = `{name: lab, prefix: /lab/, host: localhost, port: 5000, exempt: true, clientId: lab`
  const { chain, lines } = load(
    { 'gatehouse.yaml': `publicUrl: ${publicUrl}\napps:\n- ${app}, clientSecret: $LAB_SECRET}\n` },
    { LAB_SECRET: 'the-secret-of-lab' },
  )
  expect(lines).toEqual([])
  expect(chain?.realm?.realms[0]?.clients).toContainEqual(
    expect.objectContaining({
      clientId: 'lab',
      secret: 'the-secret-of-lab',
      redirectUris: [`${publicUrl}/lab/callback`],
    }),
  )
  const missing = 'is missing; write the secret the app has, or `$NAME` of a variable that holds it'
  const without = load({ 'gatehouse.yaml': `publicUrl: ${publicUrl}\napps:\n- ${app}}\n` })
  expect(without.lines).toEqual([`gatehouse.yaml:3:3: error: apps[0].clientSecret: ${missing}`])
  const unset = load({ 'gatehouse.yaml': `publicUrl: ${publicUrl}\napps:\n- ${app}, clientSecret: $LAB_SECRET}\n` })
  expect(unset.lines).toEqual([
    'gatehouse.yaml:3:88: error: apps[0].clientSecret: the variable `LAB_SECRET` is not set; set LAB_SECRET, or write its value',
  ])
  const beside = load({
    'gatehouse.yaml': `publicUrl: ${publicUrl}\nrealm: {realm: team}\napps:\n- ${app}, clientSecret: s}\n`,
  })
  expect(beside.lines).toEqual([
    'gatehouse.yaml:4:88: error: apps[0].clientSecret: has no effect beside `realm`; write the client into the realm',
  ])
})

test('a file that is not there is a problem, not an exception', () => {
  const { problems } = loadGatehouseYaml('/nonexistent/gatehouse.yaml', { env: {}, secretsOf: () => secrets })
  expect(problems.map(formatProblem)).toEqual([
    '/nonexistent/gatehouse.yaml: error: cannot be read (there is no such file)',
  ])
})

test('apps have names and prefixes of their own, and none of the parts’', () => {
  const { chain, lines } = load({
    'gatehouse.yaml': `publicUrl: ${publicUrl}
apps:
- {name: one, prefix: /one/, host: one}
- {name: one, prefix: /two/, host: two}
- {name: three, prefix: /one/, host: three}
- {name: four, prefix: /dex/, host: four}
- {name: five, prefix: /auth/five/, host: five}
- {name: six, prefix: /authors/, host: six}
`,
  })
  expect(chain).toBeUndefined()
  const reserved = 'choose one that begins with none of `/auth/`, `/dex/`, `/oauth2/`, `/authservice/`, `/gatehouse/`'
  expect(lines).toEqual([
    'gatehouse.yaml:4:4: error: apps[1].name: `one` is the name of another app, too (line 3); give each its own',
    'gatehouse.yaml:5:17: error: apps[2].prefix: `/one/` leads to `one` already (line 3); give each its own',
    `gatehouse.yaml:6:16: error: apps[3].prefix: \`/dex/\` is the broker’s own path; ${reserved}`,
    `gatehouse.yaml:7:16: error: apps[4].prefix: \`/auth/five/\` is the realm’s own path; ${reserved}`,
  ])
})

test('a stand-in for a secret is refused', () => {
  const { chain, lines } = load({
    'gatehouse.yaml': `publicUrl: ${publicUrl}\nproxy:\n  client_secret: CHANGEME\n`,
  })
  expect(chain).toBeUndefined()
  expect(lines.join()).toContain('gatehouse.yaml:3:3: error: proxy.client_secret: the secret of oauth2-proxy')
})
