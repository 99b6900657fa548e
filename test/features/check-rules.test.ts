import { describe, expect, test } from 'vitest'
import { rules } from '../../src/insight/lint/index.ts'
import { findingsOf, placesOf } from './check-world.ts'

/** Where each rule finds its bad example. */
const places: Readonly<Record<string, readonly string[]>> = {
  configuration: ['policy.yaml:5:3'],
  'exempt-in-one-list': ['policies.yaml:10:28'],
  'double-star': ['policy.yaml:13:11'],
  'stray-wildcard': ['policy.yaml:8:16'],
  'regular-expression': ['policy.yaml:10:30'],
  'query-in-path': ['policy.yaml:8:27'],
  'exemption-without-slash': ['policy.yaml:12:11'],
  'suffix-exemption': ['policy.yaml:10:30'],
  'redirect-uri-mismatch': ['oauth2_proxy.cfg:5:1'],
  'issuer-mismatch': ['oauth2_proxy.cfg:2:1'],
  'token-issuer': ['ra.yaml:6:5'],
  'jwks-of-another-issuer': ['ra.yaml:6:5'],
  'issuer-without-path': ['dex.yaml:1:1'],
  'unknown-realm': ['dex.yaml:9:5'],
  'unknown-client': ['oauth2_proxy.cfg:3:1'],
  'client-secret-mismatch': ['oauth2_proxy.cfg:4:1'],
  'public-secret': ['dex.yaml:6:34', 'oauth2_proxy.cfg:4:1'],
  'placeholder-secret': ['oauth2_proxy.cfg:4:1'],
  'not-among-files': ['dex.yaml:11:19'],
  'scope-without-openid': ['oauth2_proxy.cfg:7:1'],
  'groups-stop': ['oauth2_proxy.cfg:7:1'],
  'group-with-slash': ['policy.yaml:8:16'],
  'array-claim-to-header': ['ra.yaml:9:7'],
  'token-without-sub': ['realm.json:5:7'],
  'cookie-outlives-token': ['oauth2_proxy.cfg:10:1'],
  'logout-keeps-session': ['dashboard.yaml:11:11'],
  'custom-without-deny': ['policies.yaml:1:1'],
  'provider-never-asked': ['policies.yaml:1:1'],
  'token-not-handed-on': ['mesh.yaml:7:5'],
  'cookie-not-shown': ['mesh.yaml:6:5'],
  'unknown-provider': ['policy.yaml:1:1'],
  'second-provider': ['policies.yaml:16:3'],
  'provider-name-prefix': ['mesh.yaml:4:3'],
  'token-in-custom': ['policy.yaml:16:22'],
  'dry-run-custom': ['policy.yaml:3:1'],
  'principals-without-authentication': ['team.yaml:15:7'],
  'not-principals-in-allow': ['policy.yaml:9:9'],
  'selector-matches-nothing': ['policy.yaml:6:5'],
  'target-of-classic-gateway': ['policy.yaml:5:3'],
  'header-of-one-issuer': ['ra.yaml:13:5'],
  'identity-header-unsanitised': ['files.yaml:18:7'],
  'forwarded-header-unsanitised': ['mesh.yaml:7:47'],
  'pattern-in-user-name': ['policy.yaml:8:16'],
  'no-audiences': ['ra.yaml:6:5'],
  'api-server-audience': ['oauth2_proxy.cfg:11:1'],
  'accounts-shut-out': ['oauth2_proxy.cfg:12:1'],
  'jwks-unreachable': ['ra.yaml:7:5'],
  'allow-only-negative': ['policy.yaml:7:5'],
  'deny-by-path': ['policy.yaml:8:27', 'policy.yaml:8:37'],
  'deny-without-ports': ['policy.yaml:7:5'],
  'host-without-port': ['policy.yaml:8:27'],
  'service-port': ['policy.yaml:8:27'],
  'no-such-service': ['mesh.yaml:2:3'],
  'unknown-gateway': ['route.yaml:5:14'],
  'part-without-route': ['dex.yaml:1:1'],
  'overlapping-prefixes': ['routes.yaml:18:5'],
  'policy-on-rewritten-path': ['models.yaml:19:27'],
  'cors-behind-sign-in': ['api.yaml:9:5'],
}

describe.each(rules.map((rule) => [rule.id, rule] as const))('%s', (id, { bad, good, severity }) => {
  test('finds its bad example, at its very place', () => {
    const found = findingsOf(bad).filter(({ rule }) => rule === id)
    expect(found.map(({ place: { file, line, column } }) => `${file}:${line}:${column}`)).toEqual(places[id])
    for (const { severity: told } of found) expect(told).toBe(severity)
  })

  test('finds nothing in its good example, nor does another rule that fails a build', () => {
    expect(placesOf(findingsOf(good).filter((finding) => finding.rule === id || finding.severity === 'error'))).toEqual(
      [],
    )
  })

  test('finds nothing else in its bad example that fails a build', () => {
    expect(placesOf(findingsOf(bad).filter((finding) => finding.rule !== id && finding.severity === 'error'))).toEqual(
      [],
    )
  })
})

test('ids are unique words with hyphens', () => {
  const ids = rules.map(({ id }) => id)
  expect(new Set(ids).size).toBe(ids.length)
  for (const id of ids) expect(id).toMatch(/^[a-z]+(?:-[a-z]+)*$/)
})
