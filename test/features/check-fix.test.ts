import { describe, expect, test } from 'vitest'
import { fixFiles } from '../../src/app/fix-files.ts'
import { rules } from '../../src/insight/lint/index.ts'
import type { Example } from '../../src/insight/lint/rule.ts'
import { fixtureFiles, placesOf } from './check-world.ts'

const fixed = (files: Example | ReadonlyMap<string, string>, isWanted: (rule: string) => boolean = () => true) =>
  fixFiles(files instanceof Map ? files : new Map(Object.entries(files as Example)), {
    env: {},
    isWanted: ({ rule }) => isWanted(rule),
  })

const mending = rules.filter(({ edits }) => edits)

describe.each(mending.map((rule) => [rule.id, rule] as const))('--fix of %s', (id, { bad }) => {
  test('makes its findings go away, brings none and stops there', () => {
    const { files, fixed: mended, remaining } = fixed(bad, (rule) => rule === id)
    expect(mended.map(({ rule }) => rule)).toContain(id)
    expect(placesOf(remaining.filter(({ rule }) => rule === id))).toEqual([])
    expect(fixed(files, (rule) => rule === id)).toMatchObject({ files, fixed: [] })
  })
})

test('mending gives the good example of the rules that have one way out', () => {
  for (const { id, bad, good } of mending.filter((rule) => rule.id !== 'token-without-sub')) {
    expect(Object.fromEntries(fixed(bad, (rule) => rule === id).files), id).toEqual(good)
  }
})

const pair = (deny: string) => `# asks oauth2-proxy
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: ask, namespace: istio-system}
spec:
  action: CUSTOM
  provider: {name: oauth2-proxy}
  rules:
  - to:
    - operation:
        notPaths:
        - '/oauth2/*'   # the proxy itself
        - '/dex/*'
        - '/auth/*'     # Keycloak
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: require-jwt, namespace: istio-system}
spec:
  action: DENY
  rules:
  - from: [{source: {notRequestPrincipals: ["*"]}}]
    to:
    - operation:
${deny}`

test('comments, quotes and layout stay; the lines that change are the only ones', () => {
  const { files } = fixed({ 'a.yaml': pair('        notPaths: ["/dex/*",   "/oauth2/*"]  # keep in step\n') })
  expect(files.get('a.yaml')).toBe(pair('        notPaths: ["/dex/*",   "/oauth2/*", "/auth/*"]  # keep in step\n'))
})

test('an app is never made public', () => {
  const { fixed: mended, remaining } = fixed({
    'a.yaml': pair('        notPaths: [/dex/*, /oauth2/*]\n').replace('/auth/*', '/app/*'),
  })
  expect(mended).toEqual([])
  expect(placesOf(remaining)).toContain('a.yaml:14:11 warning exempt-in-one-list')
})

test('only the rules asked for are mended', () => {
  const files = { 'a.yaml': pair('        notPaths: [/dex/*, /oauth2/*]\n') }
  expect(fixed(files, () => false)).toMatchObject({ files: new Map(Object.entries(files)), fixed: [] })
})

test('inside a ConfigMap the lines of the outer file change', () => {
  const before = fixtureFiles('seed-001')
  const { files, fixed: mended, remaining } = fixed(before)
  expect(placesOf(mended)).toEqual([
    'config-map.yaml:34:7 warning groups-stop',
    'config-map.yaml:43:9 warning groups-stop',
    'oauth2_proxy.cfg:3:1 warning groups-stop',
  ])
  expect(placesOf(remaining.filter(({ severity }) => severity !== 'note'))).toEqual([])
  const [map = '', cfg = ''] = [files.get('config-map.yaml'), files.get('oauth2_proxy.cfg')]
  expect(map).toBe(
    (before.get('config-map.yaml') ?? '')
      .replace(
        '        issuer: https://keycloak',
        '        insecureEnableGroups: true\n        issuer: https://keycloak',
      )
      .replace('        - offline_access\n', '        - offline_access\n        - groups\n'),
  )
  expect(cfg).toContain('\nscope = "profile email offline_access openid groups"\n')
})

test('what stands in base64 or in a variable of another shape is left alone', () => {
  const dex = `issuer: https://platform.example.com/dex
storage: {type: memory}
web: {http: 0.0.0.0:5556}
enablePasswordDB: true
connectors:
- type: oidc
  id: keycloak
  name: Keycloak
  config: {issuer: https://id.example.com/auth/realms/team, clientID: dex, clientSecret: s3, redirectURI: https://platform.example.com/dex/callback, insecureEnableGroups: true, scopes: [openid]}
`
  const secret = `apiVersion: v1
kind: Secret
metadata: {name: dex}
data: {config.yaml: ${Buffer.from(dex).toString('base64')}}
`
  const { files, fixed: mended, remaining } = fixed({ 'secret.yaml': secret })
  expect(mended).toEqual([])
  expect(remaining.map(({ rule }) => rule)).toContain('groups-stop')
  expect(files.get('secret.yaml')).toBe(secret)
})

test('groups that stop at the gateway get their header, however the others are written', () => {
  const before = Object.fromEntries(fixtureFiles('seed-001'))
  const name = 'requestauthentication.dex-jwt.yaml'
  const lacking = (before[name] ?? '').replace(/ *- header: kubeflow-groups\n *claim: groups\n/, '')
  expect(lacking).not.toBe(before[name])
  const { files, fixed: mended } = fixed({ ...before, [name]: lacking }, (rule) => rule === 'groups-stop')
  expect(mended.map(({ place }) => place.file)).toContain(name)
  expect(files.get(name)).toMatch(/- \{header: kubeflow-groups, claim: groups\}\n *- header/)
})
