import { expect, test } from 'vitest'
import { rules } from '../../src/insight/lint/index.ts'
import { findingsOf, fixtureFiles } from './check-world.ts'

const badOf = (id: string) => rules.find((rule) => rule.id === id)?.bad ?? {}
const count = (id: string, files: Readonly<Record<string, string>>) =>
  findingsOf(files).filter(({ rule }) => rule === id).length

/** The bad example of a rule, with more files or with a text of it replaced. */
function changed(id: string, more: Readonly<Record<string, string>>, [from, to]: readonly [string, string] = ['', '']) {
  const files = Object.entries({ ...badOf(id), ...more })
  return Object.fromEntries(files.map(([name, text]) => [name, from === '' ? text : text.replace(from, to)]))
}

const istiod = (value: string) => `apiVersion: apps/v1
kind: Deployment
metadata: {name: istiod, namespace: istio-system}
spec:
  template:
    metadata: {labels: {app: ingressgateway}}
    spec:
      containers:
      - name: discovery
        image: istio/pilot
        env:
        - {name: PILOT_ENABLE_MULTIPLE_CUSTOM_AUTHZ_PROVIDERS, value: "${value}"}
`

test('several providers are fine where istiod says so', () => {
  expect(count('second-provider', changed('second-provider', { 'istiod.yaml': istiod('false') }))).toBe(1)
  expect(count('second-provider', changed('second-provider', { 'istiod.yaml': istiod('true') }))).toBe(0)
})

test('a selector is known by the pods or the Gateway among the files', () => {
  const gateway = (app: string) => `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gate, namespace: istio-system}
spec:
  selector: {app: ${app}}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]
`
  const id = 'selector-matches-nothing'
  expect(count(id, changed(id, { 'istiod.yaml': istiod('true') }))).toBe(0)
  expect(count(id, changed(id, { 'gate.yaml': gateway('ingressgateway') }))).toBe(0)
  expect(count(id, changed(id, { 'gate.yaml': gateway('another') }))).toBe(1)
})

test('a selector of other pods is no matter of sign-in unless it asks for tokens', () => {
  const id = 'selector-matches-nothing'
  expect(count(id, changed(id, {}, ['notRequestPrincipals: ["*"]', 'namespaces: [team]']))).toBe(0)
})

test('a RequestAuthentication of the root namespace is for every workload, a contradicting selector for none of these', () => {
  const id = 'principals-without-authentication'
  expect(count(id, changed(id, {}, ['istio-ingress', 'istio-system']))).toBe(0)
  const selector = '  selector: {matchLabels: {app: other}}\n'
  const files = changed(id, {}, ['namespace: istio-ingress}\nspec:\n', `namespace: apps}\nspec:\n${selector}`])
  const own = {
    'team.yaml': (files['team.yaml'] ?? '').replace(
      'spec:\n  rules',
      'spec:\n  selector: {matchLabels: {app: mine}}\n  rules',
    ),
  }
  expect(count(id, files)).toBe(0) // a policy for all pods may mean those
  expect(count(id, own)).toBe(1)
  expect(count(id, { 'team.yaml': own['team.yaml'].replace('app: other', 'app: mine') })).toBe(0)
})

test('policies alone are not said to lack a RequestAuthentication that is elsewhere', () => {
  const [, policy = ''] = (badOf('principals-without-authentication')['team.yaml'] ?? '').split('---\n')
  expect(count('principals-without-authentication', { 'policy.yaml': policy })).toBe(0)
})

test('a sign-out that oauth2-proxy itself hands on is whole', () => {
  const chain = fixtureFiles('seed-001')
  const cfg = chain.get('oauth2_proxy.cfg') ?? ''
  const withSetting = (setting: string) =>
    changed('logout-keeps-session', { ...Object.fromEntries(chain), 'oauth2_proxy.cfg': `${cfg}${setting}\n` })
  expect(count('logout-keeps-session', withSetting('# nothing'))).toBe(1)
  expect(
    count(
      'logout-keeps-session',
      withSetting('backend_logout_url = "https://id.example.com/logout?id_token_hint={id_token}"'),
    ),
  ).toBe(0)
})

test('the cookie may live as long as the token, or be refreshed before it ends', () => {
  const id = 'cookie-outlives-token'
  const when = (from: string, to: string) => count(id, changed(id, {}, [from, to]))
  expect(when('cookie_expire = "24h"', 'cookie_expire = "1h"')).toBe(0)
  expect(when('cookie_refresh = "0"', 'cookie_refresh = "59m"')).toBe(0)
  expect(when('cookie_refresh = "0"', 'cookie_refresh = "60m"')).toBe(1)
  expect(when('expiry: {idTokens: 1h}\n', '')).toBe(0)
  expect(when('cookie_expire = "24h"\n', '')).toBe(1)
  expect(when('set_authorization_header = true', 'set_authorization_header = false')).toBe(0)
})

test('an ALLOW, or a DENY for other paths, does not always stand behind a CUSTOM policy', () => {
  const id = 'custom-without-deny'
  const policy = (spec: string) => `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: behind, namespace: istio-system}
spec:
${spec}`
  const behind = (spec: string) => count(id, changed(id, { 'behind.yaml': policy(spec) }))
  expect(behind('  rules: [{from: [{source: {requestPrincipals: ["*"]}}]}]\n')).toBe(0)
  expect(behind('  rules: [{}]\n')).toBe(1)
  expect(behind('  action: DENY\n  rules: [{to: [{operation: {paths: [/admin]}}]}]\n')).toBe(1)
  expect(behind('  action: DENY\n  rules: [{from: [{source: {notRequestPrincipals: ["*"]}}]}]\n')).toBe(0)
})

test('path templates and stars at one end are no stray wildcards', () => {
  const id = 'stray-wildcard'
  const value = (text: string) => count(id, changed(id, {}, ['*,admin,*', text]))
  for (const fine of ['*', 'admin*', '*admin', 'admin']) expect(value(fine), fine).toBe(0)
  for (const stray of ['*a*', 'a*b', '*a*b', 'a*b*']) expect(value(stray), stray).toBe(1)
  const path = (text: string) => count(id, changed('suffix-exemption', {}, ['*/healthz', text]))
  for (const fine of ['/a/{*}/b', '/a/{**}', '/a/**']) expect(path(fine), fine).toBe(0)
})

test('hosts with a port, or with a star for it, are complete', () => {
  const id = 'host-without-port'
  const hosts = (text: string) => count(id, changed(id, {}, ['admin.example.com', text]))
  expect(hosts('admin.example.com:8443')).toBe(0)
  expect(hosts('"admin.*"')).toBe(0)
  expect(hosts('"*.example.com", "*.example.com:*"')).toBe(1) // two stars: the second value matches nothing
  expect(hosts('"*"')).toBe(0)
})

const dexOf = (clients: string, secretRef: string) => `apiVersion: apps/v1
kind: Deployment
metadata: {name: dex, namespace: auth}
spec:
  template:
    metadata: {labels: {app: dex}}
    spec:
      containers:
      - {name: dex, image: dexidp/dex, envFrom: [${secretRef}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: dex, namespace: auth}
data:
  config.yaml: |
    issuer: https://platform.example.com/dex
    storage: {type: memory}
    web: {http: 0.0.0.0:5556}
    staticClients:
    - {id: mlflow, name: MLflow, redirectURIs: [https://platform.example.com/mlflow/callback], ${clients}}
    connectors:
    - type: oidc
      id: sso
      name: Company
      config:
        issuer: https://sso.example.com
        clientID: dex
        clientSecret: $SSO_SECRET
        redirectURI: https://platform.example.com/dex/callback
        insecureEnableGroups: true
        scopes: [email, groups]
`

test('a secret that is a variable is told only where the files say everything its program is started with', () => {
  const judged = (secretRef: string, clients = 'secretEnv: MLFLOW_SECRET') =>
    findingsOf({ 'dex.yaml': dexOf(clients, secretRef) }).map(({ rule, message }) => `${rule}: ${message}`)
  expect(judged('')).toEqual([
    'placeholder-secret: the variable `MLFLOW_SECRET` is not set, so the client `mlflow` has no secret',
    'placeholder-secret: the variable `SSO_SECRET` is not set, so the connector `sso` has no secret',
  ])
  expect(judged('', 'secret: $MLFLOW_SECRET')[0]).toContain('the variable `MLFLOW_SECRET` is not set')
  expect(judged('{secretRef: {name: dex-secrets}}')).toEqual([
    'not-among-files: Secret dex-secrets is not among the files',
  ])
  expect(judged('{secretRef: {name: dex-secrets, optional: true}}')).toEqual([])
})

test('a secret that is a variable is no matter of files alone', () => {
  const config = dexOf('secretEnv: MLFLOW_SECRET', '').split('config.yaml: |\n')[1] ?? ''
  expect(findingsOf({ 'dex.yaml': config.replace(/^ {4}/gm, '') })).toEqual([])
})

test('a proxy that answers without the token is told at its setting, and mended there', () => {
  const good = rules.find(({ id }) => id === 'token-not-handed-on')?.good ?? {}
  const proxy = (good['oauth2_proxy.cfg'] ?? '').replace('authorization_header = true', 'authorization_header = false')
  const [finding, ...more] = findingsOf({ ...good, 'oauth2_proxy.cfg': proxy }).filter(
    ({ rule }) => rule === 'token-not-handed-on',
  )
  expect(more).toEqual([])
  expect(finding?.place).toMatchObject({ file: 'oauth2_proxy.cfg', line: 9 })
  expect(finding?.edits).toMatchObject([{ from: 'false', to: 'true' }])
})

test('a Gateway that no file describes may be elsewhere, one of nearly that name is meant', () => {
  const id = 'unknown-gateway'
  expect(count(id, changed(id, {}, ['[kubeflow-gateway]', '[knative-serving/local-gateway]']))).toBe(0)
  expect(count(id, changed(id, {}, ['[kubeflow-gateway]', '[kubeflow/kubeflow-gatway]']))).toBe(1)
})

test('a port of a route is looked up in its Service, where that is among the files', () => {
  const id = 'no-such-service'
  const route = (
    port: number,
    host = 'oauth2-proxy.oauth2-proxy.svc.cluster.local',
  ) => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: oauth2-proxy, namespace: oauth2-proxy}
spec:
  hosts: ["*"]
  http: [{route: [{destination: {host: ${host}, port: {number: ${port}}}}]}]
`
  const told = (text: string) => count(id, changed(id, { 'route.yaml': text }, ['port: 4180', 'port: 80']))
  expect(told(route(4180))).toBe(1)
  expect(told(route(80, 'oauth2-proxy'))).toBe(0)
  expect(told(route(4180, 'oauth2-prox'))).toBe(0)
})

test('the audience of the API server is told wherever it is accepted, an own one nowhere', () => {
  const rule = (audience: string) => {
    const text = badOf('no-audiences')['ra.yaml'] ?? ''
    return {
      'ra.yaml': text.replace('outputClaimToHeaders', `audiences: [kubeflow, "${audience}"]\n    outputClaimToHeaders`),
    }
  }
  for (const name of ['https://kubernetes.default.svc', 'kubernetes.default.svc.cluster.local', 'kubernetes']) {
    expect(count('api-server-audience', rule(name)), name).toBe(1)
  }
  for (const name of [
    'kubernetes.example.com',
    'https://kubernetes.default.svc.example.com',
    'pipelines.kubeflow.org',
  ]) {
    expect(count('api-server-audience', rule(name)), name).toBe(0)
  }
})

test('service accounts are shut out by domains of addresses, too, but not where their names are listed', () => {
  const settings = (domains: string, more = '') =>
    changed('accounts-shut-out', {}, ['email_domains = "*"', `email_domains = ${domains}${more}`])
  const open = (domains: string, more?: string) =>
    Object.fromEntries(
      Object.entries(settings(domains, more)).map(([name, text]) => [name, text.replace('["ml-team"]', '[]')]),
    )
  expect(count('accounts-shut-out', open('"*"'))).toBe(0)
  expect(count('accounts-shut-out', open('["example.com"]'))).toBe(1)
  expect(count('accounts-shut-out', open('["example.com", "*"]'))).toBe(0)
  expect(count('accounts-shut-out', open('["example.com"]', '\nauthenticated_emails_file = "/emails"'))).toBe(0)
  const without = badOf('accounts-shut-out')['oauth2_proxy.cfg']?.replace(/^kubernetes_.*\n/m, '') ?? ''
  expect(count('accounts-shut-out', { ...badOf('accounts-shut-out'), 'oauth2_proxy.cfg': without })).toBe(0)
})
