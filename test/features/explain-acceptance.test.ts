import { expect, test } from 'vitest'
import { readChain } from '../../src/app/explain-chain.ts'
import { seededRandom } from '../world/random.ts'
import { directoryOf } from './config-world.ts'
import {
  chainOf,
  explained,
  layer,
  nowSeconds,
  publicUrl,
  stock,
  stockIssuer,
  stockToken,
  told,
} from './explain-world.ts'
import { kubeIssuer, mint, stockPolicies } from './gateway-world.ts'

const rbac = { isAllowed: false, status: 403, body: 'RBAC: access denied' }

test('without credentials the provider refuses, and the explanation names file, line, field and reason', async () => {
  const explanation = await explained('/notebooks')
  expect(explanation.verdict).toMatchObject({ isAllowed: false, status: 403, body: 'page “Sign in · Gatehouse”' })
  const { outcome, details } = layer(explanation, 'provider')
  expect(outcome).toBe('stopped')
  const notPaths = details.find(({ text }) => text.includes('notPaths holds'))
  expect(notPaths?.place).toMatchObject({ file: 'kubeflow.yaml', line: 399 })
  expect(notPaths?.text).toContain('path `/notebooks` does not match `/dex/*`')
  expect(told(explanation, 'provider')).toContain('it answers 403: there is no session, so the sign-in page answers')
  expect(layer(explanation, 'policies').outcome).toBe('skipped')
})

test('no secret has to be among the files', () => {
  const file = `issuer: https://platform.example.com/dex
storage: {type: memory}
web: {http: 0.0.0.0:5556}
staticClients:
- {id: mlflow, name: MLflow, secretEnv: UNSET_SECRET, redirectURIs: [https://platform.example.com/mlflow/callback]}
connectors:
- {type: oidc, id: sso, name: SSO, config: {issuer: https://sso.example.com, clientID: dex, clientSecret: $UNSET_SECRET}}
`
  const path = directoryOf({ 'dex.yaml': file })
  const chain = readChain({
    ...{ source: { kind: 'directory', path }, publicUrl, dataDirectory: '/nonexistent' },
    random: seededRandom(),
  })
  expect(chain.broker?.staticClients.map(({ id }) => id)).toContain('mlflow')
})

test('with a session the app is told who it is', async () => {
  const explanation = await explained('/notebooks', { as: 'ada@example.com', groups: ['team-a'] })
  expect(explanation.verdict).toMatchObject({ isAllowed: true, status: 200 })
  expect(told(explanation, 'provider')).toContain('the session of ada@example.com is good')
  expect(told(explanation, 'app')).toContain('kubeflow-userid: ada@example.com')
  expect(told(explanation, 'app')).toContain('kubeflow-groups: ')
  expect(explanation.request.as).toBe('ada@example.com')
})

test.each(['sqlite', 'redis'])(
  'a session is explained as if it were in the cookie where the store is %s',
  async (type) => {
    const stockProxy = stock.proxy
    if (!stockProxy) throw new Error('the stock chain has a proxy')
    const nowhere = { session_store_type: type, redis_connection_url: type === 'redis' ? 'redis://127.0.0.1:1' : '' }
    const chain = { ...stock, proxy: { ...stockProxy, ...nowhere } }
    const explanation = await explained('/notebooks', { chain, as: 'ada@example.com' })
    expect(explanation.verdict).toMatchObject({ isAllowed: true, status: 200 })
  },
)

test('an API path is refused by the entry of api_routes that names it', async () => {
  const explanation = await explained('/pipeline/apis/v2beta1/x')
  expect(explanation.verdict).toMatchObject({ isAllowed: false, status: 401, body: '{}' })
  expect(told(explanation, 'provider')).toContain('the path is an API by the entry `/apis/` of `api_routes`')
})

test('a bearer token passes without the provider being asked', async () => {
  const explanation = await explained('/', { token: await stockToken() })
  expect(explanation.verdict.isAllowed).toBe(true)
  expect(layer(explanation, 'provider').outcome).toBe('skipped')
  expect(told(explanation, 'provider')).toContain('header `authorization` matches')
  expect(explanation.caveats.join()).toContain('the signature of the token was not checked')
})

test.each([
  ['expired', { exp: 1 }, 401, 'Jwt is expired'],
  ['of a foreign issuer', { iss: 'https://elsewhere.example' }, 401, 'Jwt issuer is not configured'],
  ['not valid yet', { nbf: 4e9 }, 401, 'Jwt not yet valid'],
])('a token that is %s is refused in the words of Envoy', async (_, claims, status, text) => {
  const explanation = await explained('/', { token: await stockToken(claims) })
  expect(explanation.verdict).toMatchObject({ isAllowed: false, status, body: text })
  expect(layer(explanation, 'tokens')).toMatchObject({ outcome: 'stopped', summary: `refused: ${text}` })
})

test('a token that is expired is refused, but where a part judges tokens itself', async () => {
  const token = await stockToken({ exp: 1 })
  expect((await explained('/jupyter/', { token })).verdict).toMatchObject({ status: 401, body: 'Jwt is expired' })
  expect((await explained('/oauth2/sign_out', { token })).verdict).toMatchObject({ isAllowed: true })
})

test('a text that is no token is told as such', async () => {
  const explanation = await explained('/', { token: 'a.b.c' })
  expect(explanation.verdict.body).toContain('Jwt header is')
  expect(told(explanation, 'tokens')).toContain('nothing in it can be read')
})

test('Basic credentials count as none here, and the explanation says that Istio differs', async () => {
  const explanation = await explained('/', { headers: [['Authorization', 'Basic eDp5']] })
  expect(explanation.verdict.status).toBe(403)
  expect(told(explanation, 'provider')).toContain('counts as absent here (Istio would skip the sign-in)')
})

test('paths oauth2-proxy would answer itself are stopped', async () => {
  for (const path of ['/ping', '/ready', '/robots.txt']) expect((await explained(path)).verdict.isAllowed).toBe(false)
})

test('an exemption is told with the entry that matches', async () => {
  const explanation = await explained('/oauth2/x')
  expect(explanation.verdict.isAllowed).toBe(true)
  expect(told(explanation, 'policies')).toContain('notPaths does not hold: path `/oauth2/x` matches `/oauth2/*`')
})

test('a token in the query is no credential, and is not repeated', async () => {
  const token = await stockToken()
  const explanation = await explained(`/?access_token=${token}`)
  expect(explanation.verdict.status).toBe(403)
  expect(JSON.stringify(explanation)).not.toContain(token)
})

test.each(['/oauth2', '/dex', '/dexter', '/DEX/x'])('%s is not exempt', async (path) => {
  expect((await explained(path)).verdict).toMatchObject({ isAllowed: false, status: 403 })
})

test('exempt paths reach their part without credentials', async () => {
  const explanation = await explained('/dex/auth')
  expect(explanation.verdict).toMatchObject({ isAllowed: true })
  expect(told(explanation, 'route')).toContain('prefix `/dex/` → dex.auth.svc.cluster.local:5556')
})

test('a client’s identity headers are told as stripped', async () => {
  const explanation = await explained('/dex/auth', { headers: [['Kubeflow_UserID', 'evil@example.com']] })
  expect(told(explanation, 'headers')).toContain('`Kubeflow_UserID`')
  expect(told(explanation, 'app')).not.toContain('evil')
})

test('a session whose tokens have expired is no session', async () => {
  const claims = { iss: stockIssuer, sub: 'ada-id', email: 'ada@example.com', exp: 1 }
  const explanation = await explained('/', { identity: { kind: 'session', claims } })
  expect(explanation.verdict.status).toBe(403)
  expect(told(explanation, 'provider')).toContain('the session is over (expired, or signed out); there is no session')
})

test('an ALLOW policy that does not match is told with what it lacks', async () => {
  const yaml = `${stockPolicies()}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: team, namespace: istio-system }
spec:
  action: ALLOW
  rules:
    - to: [{ operation: { paths: [/team/*] } }]
      when: [{ key: "request.auth.claims[groups]", values: [team-a] }]
`
  const explanation = await explained('/team/x', { chain: chainOf(yaml), as: 'ada@example.com', groups: ['team-b'] })
  expect(explanation.verdict).toMatchObject(rbac)
  expect(told(explanation, 'policies')).toContain('claim `[groups]` does not match `team-a`')
  expect(explanation.suggestions[0]).toMatchObject({ kind: 'grant-group', text: 'grant the group `team-a`' })
})

test.each([
  ['Basic credentials', [['Authorization', 'Basic eDp5']]],
  ['a scheme in lower case', [['Authorization', 'bearer x.y.z']]],
  ['an empty Authorization', [['Authorization', '']]],
  [
    'a preflight with a token nobody checks',
    [
      ['Authorization', 'Bearer junk'],
      ['Origin', 'https://elsewhere.example'],
      ['Access-Control-Request-Method', 'GET'],
    ],
  ],
] as const)('as Istio decides, %s skips the sign-in and is denied by the second policy', async (_, headers) => {
  const explanation = await explained('/', { mode: 'istio', method: 'OPTIONS', headers })
  expect(explanation.verdict).toMatchObject(rbac)
  expect(layer(explanation, 'provider').outcome).toBe('skipped')
  expect(told(explanation, 'policies')).toContain(
    'notRequestPrincipals holds: there is no verified token, so no request principal',
  )
})

test('as Istio decides, a client’s X-Auth-Request-Email reaches the app beside a good token', async () => {
  const headers = [['X-Auth-Request-Email', 'evil@example.com']] as const
  const istio = await explained('/', { mode: 'istio', headers, token: await stockToken() })
  const native = await explained('/', { headers, token: await stockToken() })
  expect(told(istio, 'app')).toContain('x-auth-request-email: evil@example.com')
  expect(told(native, 'app')).not.toContain('evil@example.com')
})

test('a dry-run rule is told, and decides nothing', async () => {
  const yaml = `${stockPolicies()}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: trial, namespace: istio-system, annotations: { istio.io/dry-run: "true" } }
spec: { action: DENY, rules: [{ to: [{ operation: { paths: [/team/*] } }] }] }
`
  const explanation = await explained('/team/x', { chain: chainOf(yaml), as: 'ada@example.com' })
  expect(explanation.verdict.isAllowed).toBe(true)
  expect(told(explanation, 'policies')).toContain('dry run: DENY `istio-system/trial` rule 1 matches')
})

test('dot segments, stripped parts of paths and their rule are told', async () => {
  const explanation = await explained('/dex/%2e%2e/notebooks')
  expect(layer(explanation, 'path').summary).toBe('`/notebooks`')
  expect(told(explanation, 'path')).toContain('dot segments are resolved (pathNormalization BASE)')
})

test('a malformed request is refused before anything else', async () => {
  const explanation = await explained('/x%00')
  expect(explanation.verdict).toMatchObject({ isAllowed: false, status: 400 })
  expect(told(explanation, 'path')).toContain('the path holds a NUL')
})

test('a service account’s token passes where its issuer is trusted, and is told as that account', async () => {
  const sub = 'system:serviceaccount:team-a:default-editor'
  const token = await mint({ iss: kubeIssuer, sub, aud: [kubeIssuer], exp: nowSeconds + 600 })
  const explanation = await explained('/pipeline/apis/v2beta1/x', { chain: chainOf(stockPolicies()), token })
  expect(explanation.verdict).toMatchObject({ isAllowed: true, status: 200 })
  expect(explanation.request.as).toBe(sub)
  expect(told(explanation, 'app')).toContain(`kubeflow-userid: ${sub}`)
  expect(layer(explanation, 'provider').outcome).toBe('skipped')
})

test('where only Dex is trusted, the same token is of no configured issuer', async () => {
  const token = await mint({ iss: kubeIssuer, sub: 'system:serviceaccount:team-a:default-editor' })
  const explanation = await explained('/', { token })
  expect(explanation.verdict).toMatchObject({ isAllowed: false, status: 401, body: 'Jwt issuer is not configured' })
})

test.each([
  ['of no one', [], 'never opened', 'skipped'],
  ['from another site', [['Origin', 'https://evil.example']], 'opened by a page of another site', 'stopped'],
  ['from the platform', [['Origin', 'https://platform.example.com']], 'opened by ours', 'passed'],
  ['from a program', [], 'no `Origin`', 'passed'],
] as const)('a WebSocket %s: where it is opened from is a step of its own', async (who, headers, summary, outcome) => {
  const explanation = await explained('/app/terminal', {
    chain: chainOf(stockPolicies()),
    headers: [['Upgrade', 'websocket'], ...headers],
    ...(who === 'of no one' ? {} : { as: 'ada@example.com' }),
  })
  expect(layer(explanation, 'websocket')).toMatchObject({ outcome, summary: expect.stringContaining(summary) })
  expect(explanation.verdict.isAllowed).toBe(outcome === 'passed')
  if (outcome === 'stopped') {
    expect(explanation.verdict).toMatchObject({ status: 403, body: 'websocket from a foreign origin' })
    expect(layer(explanation, 'app').outcome).toBe('stopped')
  }
  expect(layer(explanation, 'headers').summary).toBe('nothing to strip')
})

test('Istio lets any page open a WebSocket, and a request that is none has no such step', async () => {
  const headers = [['Upgrade', 'websocket'] as const, ['Origin', 'https://evil.example'] as const]
  const chain = chainOf(stockPolicies())
  const inIstio = await explained('/app/x', { chain, mode: 'istio', headers, as: 'ada@example.com' })
  expect(inIstio.verdict.isAllowed).toBe(true)
  expect(layer(inIstio, 'websocket').summary).toContain('Istio does not look')
  const plain = await explained('/app/x', { chain, headers: headers.slice(1), as: 'ada@example.com' })
  expect(plain.layers.map(({ name }) => name)).not.toContain('websocket')
})

test('a part opens no WebSocket', async () => {
  const explanation = await explained('/dex/x', { headers: [['Upgrade', 'websocket']] })
  expect(explanation.verdict).toMatchObject({ isAllowed: false, status: 501, body: 'no websocket here' })
})

test('a gRPC call is refused in the way its client reads', async () => {
  const headers = [['Content-Type', 'application/grpc'] as const, ['Authorization', 'Bearer a.b.c'] as const]
  const { verdict } = await explained('/x', { method: 'POST', headers })
  expect(verdict.isAllowed).toBe(false)
  expect(verdict.status).toBe(200)
  expect(verdict.body).toMatch(/^grpc-status 16: Jwt header is/)
})

test('a header rule is judged by each line of a repeated header, as Envoy does', async () => {
  const yaml = `${stockPolicies()}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: beta, namespace: kubeflow }
spec:
  hosts: ["*"]
  http:
    - { match: [{ uri: { prefix: /x }, headers: { x-stage: { exact: "a,beta" } } }], directResponse: { status: 200 } }
`
  const headers = [['X-Stage', 'a'] as const, ['X-Stage', 'beta'] as const]
  const explanation = await explained('/x/y', { chain: chainOf(yaml), headers, as: 'ada@example.com' })
  expect(told(explanation, 'route')).toContain('header `x-stage`')
})
