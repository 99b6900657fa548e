import { expect, test } from 'vitest'
import { defaultProxyConfig, type ProxyConfig } from '../typed-config.ts'
import { alphaOf, alphaOfConfig } from './alpha-of-config.ts'

const configWith = (values: Partial<ProxyConfig>): ProxyConfig => ({ ...defaultProxyConfig, ...values })

const namesOf = (headers: readonly { readonly name: string }[]) => headers.map(({ name }) => name)

test('the defaults ask for the headers an upstream of oauth2-proxy knows', () => {
  const { injectRequestHeaders, injectResponseHeaders } = alphaOfConfig(defaultProxyConfig)
  expect(namesOf(injectRequestHeaders)).toEqual([
    'X-Forwarded-Groups',
    'X-Forwarded-User',
    'X-Forwarded-Email',
    'X-Forwarded-Preferred-Username',
  ])
  expect(injectRequestHeaders.some(({ preserveRequestValue }) => preserveRequestValue)).toBe(false)
  expect(injectResponseHeaders).toEqual([])
})

test('prefer_email_to_user puts the e-mail into X-Forwarded-User and sends no X-Forwarded-Email', () => {
  const { injectRequestHeaders } = alphaOfConfig(configWith({ prefer_email_to_user: true }))
  expect(injectRequestHeaders.find(({ name }) => name === 'X-Forwarded-User')?.values[0]?.claimSource?.claim).toBe(
    'email',
  )
  expect(namesOf(injectRequestHeaders)).not.toContain('X-Forwarded-Email')
})

test('skip_auth_strip_headers=false lets the values of clients stand', () => {
  const { injectRequestHeaders } = alphaOfConfig(configWith({ skip_auth_strip_headers: false }))
  expect(injectRequestHeaders.every(({ preserveRequestValue }) => preserveRequestValue)).toBe(true)
})

test('an upstream is found by the path of its URL, a file by its fragment, a static one everywhere', () => {
  const upstreams = ['http://a:8080/x/', 'file:///srv/www#/files/', 'static://202', 'unix:///run/a.sock', 'http://b']
  const { upstreamConfig } = alphaOfConfig(configWith({ upstreams }))
  expect(upstreamConfig.upstreams.map(({ id, path, uri }) => [id, path, uri])).toEqual([
    ['/x/', '/x/', 'http://a:8080/x/'],
    ['/files/', '/files/', 'file:///srv/www'],
    ['static://202', '/', ''],
    ['/run/a.sock', '/', 'unix:///run/a.sock'],
    ['/', '/', 'http://b'],
  ])
  expect(upstreamConfig.upstreams[2]).toMatchObject({ static: true, staticCode: 202, timeout: 30_000 })
})

test.each(['127.0.0.1:8080', 'http://a/%zz', 'http://a/\n'])('an upstream that is no URL is named: %j', (url) => {
  expect(() => alphaOfConfig(configWith({ upstreams: [url] }))).toThrow(/could not parse upstream/)
})

test('with a certificate the proxy listens by TLS only, without one in the clear', () => {
  expect(alphaOfConfig(configWith({ https_address: ':443' })).server).toEqual({
    bindAddress: '127.0.0.1:4180',
    secureBindAddress: '',
  })
  const { server } = alphaOfConfig(configWith({ tls_cert_file: '/c', tls_key_file: '/k', tls_min_version: 'TLS1.3' }))
  expect(server).toEqual({
    bindAddress: '',
    secureBindAddress: ':443',
    tls: { cert: { fromFile: '/c' }, key: { fromFile: '/k' }, minVersion: 'TLS1.3', cipherSuites: [] },
  })
})

test('the keys of one type of provider do not reach another', () => {
  const values = { github_org: 'octo', allowed_roles: ['admin'] }
  expect(alphaOfConfig(configWith({ ...values, provider: 'github' })).providers[0]).toMatchObject({
    githubConfig: { org: 'octo' },
    keycloakConfig: { roles: [] },
  })
  expect(alphaOfConfig(configWith({ ...values, provider: 'keycloak-oidc' })).providers[0]).toMatchObject({
    githubConfig: { org: '' },
    keycloakConfig: { roles: ['admin'] },
  })
})

test('prompt takes the place of approval_prompt', () => {
  const parametersOf = (values: Partial<ProxyConfig>) =>
    alphaOfConfig(configWith(values)).providers[0]?.loginURLParameters.map(({ name, default: [value] }) => [
      name,
      value,
    ])
  expect(parametersOf({})).toEqual([['approval_prompt', 'force']])
  expect(parametersOf({ prompt: 'login', acr_values: 'high' })).toEqual([
    ['acr_values', 'high'],
    ['prompt', 'login'],
  ])
})

test('an alpha file stands for itself', () => {
  const alpha = alphaOfConfig(configWith({ client_id: 'other' }))
  expect(alphaOf(configWith({ client_id: 'flat', alpha }))).toBe(alpha)
})
