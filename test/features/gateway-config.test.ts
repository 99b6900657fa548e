import { expect, test } from 'vitest'
import { fileText } from '../../src/config/source-text.ts'
import { parseYaml, splitYaml } from '../../src/config/yaml-source.ts'
import { type ParseOptions, parseGatewayConfig } from '../../src/gateway/config.ts'
import { formatProblem, Problems } from '../../src/kit/problems.ts'
import { stockPolicies } from './gateway-world.ts'

function parse(yaml: string, options?: ParseOptions) {
  const problems = new Problems()
  const documents = splitYaml(fileText('istio.yaml', yaml)).flatMap((one) => parseYaml(one, problems) ?? [])
  const config = parseGatewayConfig(documents, problems, options)
  return { config, problems: problems.list.map(formatProblem) }
}

test('the stock Kubeflow resources load without a problem', () => {
  const { config, problems } = parse(stockPolicies())
  expect(problems).toEqual([])
  expect(config.authorizationPolicies.map(({ action }) => action)).toEqual(['CUSTOM', 'DENY'])
  expect(config.meshConfig).toMatchObject({
    rootNamespace: 'istio-system',
    pathNormalisation: 'BASE',
    numTrustedProxies: 0,
  })
})

test('every mistake of a broken file is told at once, with its line', () => {
  const { problems } = parse(`apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: broken, namespace: istio-system }
spec:
  action: DENY
  rules:
    - to:
        - operation:
            path: ["/a"]
            ports: ["http"]
    - when:
        - key: request.header[x]
          values: ["1"]
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: broken, namespace: istio-system }
spec:
  jwtRules:
    - issuer: nowhere
      forwardOriginalTokens: true
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: broken }
spec:
  hosts: ["*"]
  http:
    - match:
        - uri: { regex: "(?=x)" }
          cookie: { exact: a }
      route: [{ destination: { host: a } }]
      timeout: soon
---
extensionProviders:
  - name: auth
    envoyExtAuthzHttp:
      service: auth
      includeRequestHeadersInCheck: ["*"]
pathNormalization: { normalization: ALL }
`)
  expect(problems).toEqual([
    'istio.yaml:9:13: error: spec.rules[0].to[0].operation.path: unknown field `path`; did you mean `paths`?',
    'istio.yaml:10:21: error: spec.rules[0].to[0].operation.ports[0]: `http` is no port (0 to 65535)',
    expect.stringMatching(
      /^istio\.yaml:12:11: error: spec\.rules\[1\]\.when\[0\]\.key: unknown condition `request\.header\[x\]`; known: /,
    ),
    'istio.yaml:21:7: error: spec.jwtRules[0].forwardOriginalTokens: unknown field `forwardOriginalTokens`; did you mean `forwardOriginalToken`?',
    'istio.yaml:20:7: error: spec.jwtRules[0].issuer: keys must come from an http(s) URL, got `nowhere`; set `jwksUri`, or `jwks` with the keys themselves',
    expect.stringMatching(
      /^istio\.yaml:31:11: error: spec\.http\[0\]\.match\[0\]\.cookie: unknown field `cookie`; known: /,
    ),
    'istio.yaml:30:18: error: spec.http[0].match[0].uri.regex: `(?=x)` is no RE2 regular expression; lookaround and backreferences do not exist in RE2',
    'istio.yaml:33:7: error: spec.http[0].timeout: `soon` is no duration; write for example `5s`',
    'istio.yaml:40:22: error: pathNormalization.normalization: unknown normalisation `ALL`; known: DEFAULT, NONE, BASE, MERGE_SLASHES, DECODE_AND_MERGE_SLASHES',
    'istio.yaml:37:5: error: extensionProviders[0].envoyExtAuthzHttp: a provider needs its `port`',
    'istio.yaml:39:38: error: extensionProviders[0].envoyExtAuthzHttp.includeRequestHeadersInCheck[0]: `*` alone is not allowed; name the headers, or use `x-*`',
  ])
})

test('what has no effect is a warning that names it', () => {
  const { problems } = parse(`apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: a }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: a }
spec:
  hosts: ["*"]
  http:
    - retries: { attempts: 3, retryRemoteLocalities: true }
      rout: []
      route: [{ destination: { host: a, subset: v1 } }]
---
accessLogFile: /dev/stdout
extensionProviders:
  - name: tracing
    zipkin: { service: zipkin, port: 9411 }
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: other, namespace: kubeflow }
spec: { rules: [{}] }
`)
  expect(problems).toEqual([
    'istio.yaml:2:1: warning: kind: `DestinationRule` of `networking.istio.io` has no effect on this gateway',
    'istio.yaml:12:7: warning: spec.http[0].rout: unknown field `rout`; did you mean `route`?',
    'istio.yaml:13:41: warning: spec.http[0].route[0].destination.subset: subsets are not told apart: every one is the whole service',
    'istio.yaml:11:31: warning: spec.http[0].retries.retryRemoteLocalities: `retryRemoteLocalities` has no effect on this gateway',
    'istio.yaml:15:1: warning: accessLogFile: `accessLogFile` has no effect on this gateway',
    'istio.yaml:17:5: warning: extensionProviders[0]: provider `tracing` is `zipkin`, which this gateway cannot ask; use `envoyExtAuthzHttp` or `envoyExtAuthzGrpc`',
    'istio.yaml:20:1: warning: `kubeflow/other` is for other workloads than this gateway, so it is not enforced here',
  ])
})

const asksNobody = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: ask, namespace: istio-system }
spec: { action: CUSTOM, provider: { name: oauth2-prox }, rules: [{}] }
---
extensionProviders:
  - { name: oauth2-proxy, envoyExtAuthzHttp: { service: a, port: 80 } }
`

test('a provider nobody can ask does not load natively and warns in istio mode', () => {
  const told =
    'nobody can ask the provider `oauth2-prox`, so every request its rules match would be denied; did you mean `oauth2-proxy`?'
  expect(parse(asksNobody).problems).toEqual([`istio.yaml:1:1: error: ${told}`])
  expect(parse(asksNobody, { mode: 'istio' }).problems).toEqual([`istio.yaml:1:1: warning: ${told}`])
  expect(parse(asksNobody, { providers: ['oauth2-prox'] }).problems).toEqual([])
})

test('a MeshConfig may stand inside an IstioOperator, and a later one adds to an earlier one', () => {
  const { config, problems } = parse(`apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
spec:
  meshConfig:
    rootNamespace: mesh
    pathNormalization: { normalization: MERGE_SLASHES }
    defaultConfig: { gatewayTopology: { numTrustedProxies: 2 } }
    extensionProviders: [{ name: a, envoyExtAuthzHttp: { service: a, port: 80 } }]
---
extensionProviders: [{ name: b, envoyExtAuthzHttp: { service: b, port: "81", timeout: 1.5s, failOpen: true } }]
`)
  expect(problems).toEqual([])
  expect(config.meshConfig).toMatchObject({
    rootNamespace: 'mesh',
    pathNormalisation: 'MERGE_SLASHES',
    numTrustedProxies: 2,
    extensionProviders: [
      { name: 'a', port: 80, timeoutMilliseconds: 600_000, failOpen: false, statusOnError: 403 },
      { name: 'b', port: 81, timeoutMilliseconds: 1500, failOpen: true },
    ],
  })
})

test('policies keep the place they were written at, down to each condition', () => {
  const { config } = parse(stockPolicies())
  const [, deny] = config.authorizationPolicies
  const condition = deny?.rules[0]?.operations[0]?.conditions[0]
  expect(condition).toMatchObject({
    field: 'notPaths',
    place: { file: 'istio.yaml', path: 'spec.rules[0].to[0].operation.notPaths' },
  })
  const line = stockPolicies().split('\n')[(condition?.place.line ?? 0) - 1]
  expect(line).toContain('notPaths: [/dex/*')
})

test('a document that is no object is a problem, not a crash', () => {
  const { problems } = parse('- a\n- b\n---\nspec: 3\nkind: AuthorizationPolicy\napiVersion: security.istio.io/v1\n')
  expect(problems).toEqual([
    'istio.yaml:1:1: warning: not a resource this gateway reads: it has no `kind`',
    expect.stringContaining('a resource needs a name'),
    expect.stringContaining('spec: must be an object, got number `3`'),
  ])
})
