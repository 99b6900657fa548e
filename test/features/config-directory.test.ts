import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { partAt } from '../../src/config/host-map.ts'
import { formatReport } from '../../src/config/report.ts'
import { directoryOf, load } from './config-world.ts'

const dex = (more = '') => `issuer: http://dex.auth.svc.cluster.local:5556/dex
storage: {type: memory}
web: {http: 0.0.0.0:5556}
enablePasswordDB: true
staticClients:
- {idEnv: OIDC_CLIENT_ID, name: Kubeflow, secretEnv: OIDC_CLIENT_SECRET, redirectURIs: [/oauth2/callback]}
${more}`

const proxy = `provider = "oidc"
oidc_issuer_url = "http://dex.auth.svc.cluster.local:5556/dex"
redirect_url = "/oauth2/callback"
relative_redirect_url = true
scope = "openid email groups"
email_domains = "*"
set_authorization_header = true
`

const indented = (text: string, by: number) => text.replace(/^(?=.)/gm, ' '.repeat(by))
const base64 = (text: string) => Buffer.from(text).toString('base64')

test('a List of manifests is taken apart, with the lines of its items', () => {
  const directory = directoryOf({
    'all.yaml': `apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: ConfigMap
  metadata: {name: dex, namespace: auth}
  data:
    config.yaml: |
${indented(dex('expiry: {idTokens: soon}\n'), 6)}
- apiVersion: v1
  kind: ConfigMap
  metadata: {name: oauth2-proxy}
  data:
    oauth2_proxy.cfg: |
${indented(proxy, 6)}
`,
  })
  expect(load(directory).lines).toEqual([
    'all.yaml:15:16: error: expiry.idTokens: must be a Go duration such as `24h` or `1m30s`, got `soon`',
  ])
})

test('the whole directory may be one JSON file, as `kubectl get -o json` writes it', () => {
  const items = [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'dex' }, data: { 'config.yaml': dex() } },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'oauth2-proxy' }, data: { 'oauth2_proxy.cfg': proxy } },
  ]
  for (const indent of [undefined, 4]) {
    const text = JSON.stringify({ apiVersion: 'v1', kind: 'List', items }, null, indent)
    const { chain, lines } = load(directoryOf({ 'all.json': text }))
    expect(lines).toEqual([])
    expect(chain?.proxy?.client_id).toBe('kubeflow-oidc-authservice')
  }
})

test('variables come from envFrom, then env, by ConfigMap, Secret or value, and refer to each other', () => {
  const directory = directoryOf({
    'config.yaml': `apiVersion: v1
kind: ConfigMap
metadata: {name: oauth2-proxy, namespace: oauth2-proxy}
data:
  oauth2_proxy.cfg: |
${indented(proxy, 4)}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: parameters, namespace: oauth2-proxy}
data: {OAUTH2_PROXY_COOKIE_NAME: from-env-from, OAUTH2_PROXY_CLIENT_ID: overridden, PREFIX: kube}
---
apiVersion: v1
kind: Secret
metadata: {name: credentials, namespace: oauth2-proxy}
data: {secret: ${base64('c2VjcmV0IG9mIHRoZSB0ZXN0')}}
---
apiVersion: v1
kind: Secret
metadata: {name: credentials, namespace: elsewhere}
data: {secret: ${base64('wrong')}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: oauth2-proxy, namespace: oauth2-proxy}
spec:
  template:
    spec:
      containers:
      - name: proxy
        image: quay.io/oauth2-proxy/oauth2-proxy:v7
        args: [--cookie-expire=12h, "--whitelist-domain=$(PREFIX).example.com"]
        envFrom: [{configMapRef: {name: parameters}}]
        env:
        - {name: OAUTH2_PROXY_CLIENT_ID, value: $(PREFIX)flow}
        - {name: OAUTH2_PROXY_CLIENT_SECRET, valueFrom: {secretKeyRef: {name: credentials, key: secret}}}
        - {name: OAUTH2_PROXY_PROMPT, valueFrom: {configMapKeyRef: {name: absent, key: x, optional: true}}}
      volumes: [{name: c, configMap: {name: oauth2-proxy}}]
`,
  })
  const { chain, lines } = load(directory)
  expect(lines).toEqual([])
  expect(chain?.proxy).toMatchObject({
    cookie_name: 'from-env-from',
    client_id: 'kubeflow',
    client_secret: 'c2VjcmV0IG9mIHRoZSB0ZXN0',
    cookie_expire: 12 * 3600 * 1000,
    whitelist_domains: ['kube.example.com'],
    prompt: '',
  })
  // no Dex in the directory: one is made that knows the proxy
  expect(chain?.broker?.staticClients).toMatchObject([{ id: 'kubeflow', secret: chain?.proxy?.client_secret }])
})

test('a Secret that a Deployment wants and nobody brings is a warning at the place that wants it', () => {
  const workload = `apiVersion: apps/v1
kind: Deployment
metadata: {name: dex, namespace: auth}
spec:
  template:
    spec:
      containers:
      - name: dex
        image: ghcr.io/dexidp/dex:v2.45.1
        env:
        - name: OIDC_CLIENT_SECRET
          valueFrom: {secretKeyRef: {name: dex-oidc-client, key: secret}}
        envFrom:
        - secretRef: {name: more}
`
  const directory = directoryOf({ 'dex.yaml': dex(), 'workload.yaml': workload })
  expect(load(directory).lines).toEqual([
    'workload.yaml:11:11: warning: spec.template.spec.containers[0].env[0]: Secret dex-oidc-client, key secret (for OIDC_CLIENT_SECRET) is not among the files; add its manifest, or set the variable',
    'workload.yaml:14:11: warning: spec.template.spec.containers[0].envFrom[0]: Secret more is not among the files; add its manifest, or set the variable',
  ])
  const { chain, lines } = load(directory, { env: { OIDC_CLIENT_SECRET: 'of-the-shell' } })
  expect(lines).toHaveLength(1)
  expect(chain?.broker?.staticClients[0]?.secret).toBe('of-the-shell')
})

test('kustomization generators are read with their files and literals', () => {
  const directory = directoryOf({
    'kustomization.yaml': `namespace: auth
configMapGenerator:
- name: dex
  files: [config.yaml=dex-config.yaml]
secretGenerator:
- name: dex-oidc-client
  literals: [OIDC_CLIENT_ID=from-literal, "OIDC_CLIENT_SECRET='quoted secret'"]
- name: gone
  envs: [gone.env]
`,
    'dex-config.yaml': dex(),
    'deployment.yaml': `apiVersion: apps/v1
kind: Deployment
metadata: {name: dex}
spec:
  template:
    spec:
      containers: [{name: dex, image: dexidp/dex, envFrom: [{secretRef: {name: dex-oidc-client}}]}]
      volumes: [{name: config, configMap: {name: dex}}]
`,
  })
  const { lines, report } = load(directory)
  expect(lines).toEqual([
    'kustomization.yaml:9:10: error: secretGenerator[1].envs[0]: no such file `gone.env`; add the file, or take the entry out',
  ])
  expect(formatReport(report)).toContain('Dex configuration (ConfigMap auth/dex, key config.yaml)')
})

test('a KeycloakRealmImport and an IstioOperator are opened', () => {
  const directory = directoryOf({
    'realm.yaml': `apiVersion: k8s.keycloak.org/v2alpha1
kind: KeycloakRealmImport
metadata: {name: team}
spec:
  keycloakCRName: keycloak
  realm:
    realm: team
    users: [{username: ada}]
`,
    'operator.yaml': `apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: istio}
spec:
  meshConfig:
    pathNormalization: {normalization: MERGE_SLASHES}
`,
  })
  const { chain, lines } = load(directory)
  expect(lines).toEqual([])
  expect(chain?.realm?.realms).toMatchObject([{ realm: 'team', users: [{ username: 'ada' }] }])
  expect(chain?.gateway.meshConfig.pathNormalisation).toBe('MERGE_SLASHES')
})

test('a realm alone becomes a whole chain whose broker is its client', () => {
  const { chain, lines } = load(directoryOf({ 'realm.json': '{"realm": "team", "enabled": true, "clients": []}' }))
  expect(lines).toEqual([])
  const [connector] = chain?.broker?.connectors ?? []
  expect(connector?.config).toMatchObject({ issuer: 'http://localhost:8080/auth/realms/team' })
  expect(chain?.realm?.realms[0]?.clients).toMatchObject([{ clientId: 'gatehouse-broker' }])
  expect(chain?.proxy?.oidc_issuer_url).toBe(chain?.broker?.issuer)
})

test('oauth2-proxy straight at Keycloak needs no broker', () => {
  const direct = proxy
    .replace('http://dex.auth.svc.cluster.local:5556/dex', 'https://id.example.com/auth/realms/team')
    .replace('"/oauth2/callback"', '"https://kubeflow.example.com/oauth2/callback"')
    .replace('relative_redirect_url = true\n', 'client_id = "kubeflow"\ncookie_domains = [".example.com"]\n')
  const { chain, lines, report } = load(directoryOf({ 'oauth2_proxy.cfg': direct }))
  expect(lines).toEqual([])
  expect(chain?.broker).toBeUndefined()
  expect(chain?.proxy).toMatchObject({
    oidc_issuer_url: 'http://localhost:8080/auth/realms/team',
    redirect_url: 'http://localhost:8080/oauth2/callback',
    cookie_domains: [],
  })
  expect(chain?.realm?.realms[0]?.clients).toMatchObject([
    { clientId: 'kubeflow', secret: chain?.proxy?.client_secret, redirectUris: [chain?.proxy?.redirect_url] },
  ])
  expect(chain?.gateway.requestAuthentications[0]?.jwtRules[0]?.issuer).toBe(chain?.proxy?.oidc_issuer_url)
  expect(formatReport(report)).toContain('cookie_domains: .example.com → none (localhost is in none of them)')
})

test('a Keycloak that is kept stays where it is', () => {
  const directory = directoryOf({
    'oauth2_proxy.cfg': proxy,
    'dex.yaml': dex(`connectors:
- type: oidc
  id: keycloak
  name: Keycloak
  config:
    issuer: https://id.example.com/realms/team
    clientID: dex
    clientSecret: Vq7mT2xKfR9cWzLd4HsB
    redirectURI: https://kubeflow.example.com/dex/callback
`),
  })
  const { chain, lines } = load(directory, { kept: ['https://id.example.com'] })
  expect(lines.filter((line) => line.includes(': error: '))).toEqual([])
  expect(chain?.broker?.connectors[0]?.config).toMatchObject({
    issuer: 'https://id.example.com/realms/team',
    clientSecret: 'Vq7mT2xKfR9cWzLd4HsB',
    redirectURI: 'http://localhost:8080/dex/callback',
  })
  expect(chain?.realm).toBeUndefined()
  const problemOf = (origin: string) => load(directory, { kept: [origin] }).lines.join()
  expect(problemOf('https://id.example.org')).toContain(
    '--keep: error: no file names `https://id.example.org`; name https://id.example.com',
  )
  expect(problemOf('https://kubeflow.example.com')).toContain('is where people come back to')
})

test('hosts of the platform in Istio resources become hosts of this run', () => {
  const directory = directoryOf({
    'oauth2_proxy.cfg': proxy
      .replace('"/oauth2/callback"', '"https://kubeflow.example.com/oauth2/callback"')
      .replace('relative_redirect_url = true\n', ''),
    'dex.yaml': dex().replace('/oauth2/callback', 'https://kubeflow.example.com/oauth2/callback'),
    'vs.yaml': `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: notebooks, namespace: kubeflow}
spec:
  hosts: [kubeflow.example.com, other.example.org]
  http:
  - match: [{uri: {prefix: /jupyter/}}]
    route: [{destination: {host: jupyter}}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: hosts, namespace: istio-system}
spec:
  action: DENY
  rules:
  - to: [{operation: {hosts: ["kubeflow.example.com:*"], paths: [/internal/*]}}]
`,
  })
  const { chain, lines } = load(directory)
  expect(lines).toEqual([])
  expect(chain?.gateway.virtualServices[0]?.hosts).toEqual(['*'])
  expect(JSON.stringify(chain?.gateway.authorizationPolicies)).toContain('localhost:8080')
  expect(chain && partAt(chain.hosts, 'jupyter', 'kubeflow')).toBe('echo')
})

test('addresses that only begin alike are not replaced', () => {
  const directory = directoryOf({
    'oauth2_proxy.cfg': proxy.replace('"/oauth2/callback"', '"https://kubeflow.example.com/oauth2/callback"'),
    'dex.yaml': `${dex()}frontend: {extra: {a: "https://kubeflow.example.com.evil/x", b: "https://kubeflow.example.com:8443/", c: "see https://kubeflow.example.com/docs, https://kubeflow.example.com"}}\n`,
  })
  const { report } = load(directory)
  const changes = report.lines
    .filter(({ what }) => what.startsWith('frontend'))
    .filter(({ kind }) => kind === 'changed')
  expect(changes).toMatchObject([{ to: 'see http://localhost:8080/docs, http://localhost:8080' }])
})

test('placeholders of a shell here-document are filled from the environment, or named', () => {
  const directory = directoryOf({ 'oauth2_proxy.cfg': proxy.replace(/http:\/\/dex[^"]*/, '$DEX_ISSUER') })
  expect(load(directory).lines).toEqual([
    'oauth2_proxy.cfg:2:1: error: oidc_issuer_url: the variable `DEX_ISSUER` is not set; set DEX_ISSUER, or write its value',
  ])
  const { chain } = load(directory, { env: { DEX_ISSUER: 'https://kubeflow.example.com/dex' } })
  expect(chain?.proxy?.oidc_issuer_url).toBe('http://localhost:8080/dex')
})

test('a template with a variable nobody sets is told at its line', () => {
  const directory = directoryOf({
    'dex.yaml': `${dex()}logger: {level: "{{ .Env.LEVEL }}"}\nfrontend: {issuer: '{{ if x }}'}\n`,
  })
  expect(load(directory).lines).toEqual([
    'dex.yaml:7:18: error: the variable `LEVEL` is not set; set LEVEL, or write its value in place of the template',
    'dex.yaml:8:21: error: the template `{{ if x }}` is not understood; write its value',
  ])
})

test('oidc-authservice beside oauth2-proxy is left aside, and said so', () => {
  const directory = directoryOf({
    'oauth2_proxy.cfg': proxy,
    'params.env': 'OIDC_PROVIDER=https://id.example.com/realms/team\nCLIENT_ID=a\nCLIENT_SECRET=b\n',
  })
  const { chain, report } = load(directory)
  expect(chain?.proxy?.authservice).toBeUndefined()
  expect(formatReport(report)).toContain('ignored   1  oidc-authservice (oauth2-proxy is there, too)')
})

test('keys that only the cluster serves are told: those tokens are refused elsewhere', () => {
  const directory = directoryOf({
    'oauth2_proxy.cfg': proxy,
    'm2m.yaml': `apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: m2m-token-issuer, namespace: istio-system}
spec:
  jwtRules:
  - issuer: https://kubernetes.default.svc.cluster.local
    jwksUri: http://cluster-jwks-proxy.istio-system.svc.cluster.local/openid/v1/jwks
  - issuer: https://id.team.svc.cluster.local
  - issuer: http://dex.auth.svc.cluster.local:5556/dex
    outputClaimToHeaders: [{header: kubeflow-groups, claim: groups}]
`,
  })
  const { lines, report } = load(directory)
  expect(lines).toEqual([])
  expect(formatReport(report)).toContain(
    '6  tokens of https://kubernetes.default.svc.cluster.local: cluster-jwks-proxy.istio-system.svc.cluster.local → the API server, which only a pod can ask',
  )
  expect(formatReport(report)).toContain(
    '8  tokens of https://id.team.svc.cluster.local (its keys are at id.team.svc.cluster.local, which is not reached from here)',
  )
})

test('ten megabytes of resource definitions around the chain are not even parsed', () => {
  const property = `          field:\n            type: string\n            description: ${'x'.repeat(60)}\n`
  const definition = `apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: things\nspec:\n${property.repeat(10_000)}---\n`
  const directory = directoryOf({
    'all.yaml': `${definition.repeat(10)}apiVersion: v1\nkind: ConfigMap\nmetadata: {name: dex}\ndata:\n  config.yaml: |\n${indented(dex(), 4)}`,
  })
  const { chain, report } = load(directory)
  expect(chain?.broker?.enablePasswordDB).toBe(true)
  expect(report.lines.filter(({ what }) => what === 'CustomResourceDefinition things')).toHaveLength(10)
})

test('files too large or folders too deep are refused by name', () => {
  const deep = Array.from({ length: 20 }, () => 'd').join('/')
  const directory = directoryOf({ 'big.json': ' '.repeat(17 * 1024 * 1024), [`${deep}/x.yaml`]: 'a: 1\n' })
  expect(load(directory).lines).toEqual([
    'big.json: error: larger than 16 MiB',
    `${deep.slice(0, 33)}: error: nested deeper than 16 folders`,
  ])
})

test('files of other things are listed as ignored, hidden ones and links to directories are passed by', () => {
  const directory = directoryOf({
    'oauth2_proxy.cfg': proxy,
    'README.md': '# hello',
    'values.yaml': 'replicas: 2\n',
    'crd.yaml':
      'apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: things\nspec: {{ not yaml }}\n',
    '.git/config.yaml': 'a: [',
  })
  mkdirSync(join(directory, '..data-1'))
  writeFileSync(join(directory, '..data-1', 'realm.json'), '{"realm": "linked", "clients": []}')
  symlinkSync(join(directory, '..data-1', 'realm.json'), join(directory, 'realm.json'))
  const { chain, lines, report } = load(directory)
  expect(lines).toEqual([])
  expect(chain?.realm?.realms).toMatchObject([{ realm: 'linked' }])
  const ignored = report.lines.filter(({ kind, file }) => kind === 'ignored' && file !== 'oauth2_proxy.cfg')
  expect(ignored).toMatchObject([
    { file: 'crd.yaml', line: 2, what: 'CustomResourceDefinition things' },
    { file: 'README.md', line: 1 },
    { file: 'values.yaml', line: 1 },
  ])
})

test('a directory with nothing for us, or none at all, is an error that says so', () => {
  const empty = directoryOf({ 'values.yaml': 'replicas: 2\n' })
  expect(load(empty).lines[0]).toMatch(/: error: no configuration of Dex, oauth2-proxy, Istio, Keycloak or oidc-auth/)
  expect(load(join(empty, 'absent')).lines[0]).toMatch(/absent: error: no such directory; name a directory/)
})
