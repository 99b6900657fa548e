import { expect, test } from 'vitest'
import { formatExplanation } from '../../src/insight/explain/format.ts'
import { explained, stockToken } from './explain-world.ts'

test('the JSON is what tools were promised', async () => {
  const explanation = await explained('/api/runs?token=abc', { from: '10.1.2.3' })
  const notPaths = '`/dex/*` or `/dex/**` or `/oauth2/*` or `/gatehouse/*`'
  expect(JSON.parse(JSON.stringify(explanation))).toEqual({
    version: 1,
    request: {
      method: 'GET',
      url: 'https://platform.example.com/api/runs?token=…',
      as: 'anonymous',
      from: '10.1.2.3',
    },
    verdict: { isAllowed: false, status: 401, summary: 'the provider `oauth2-proxy` refuses', body: '{}' },
    layers: [
      { name: 'path', outcome: 'passed', summary: '`/api/runs`', details: [] },
      { name: 'headers', outcome: 'passed', summary: 'nothing to strip', details: [] },
      {
        name: 'route',
        outcome: 'passed',
        summary: 'VirtualService `kubeflow/centraldashboard`',
        details: [
          {
            mark: 'match',
            text: 'prefix `/` → centraldashboard.kubeflow.svc.cluster.local:80',
            place: { file: 'kubeflow.yaml', line: 482, column: 7, path: 'spec.http[0].match[0]' },
          },
        ],
      },
      {
        name: 'provider',
        outcome: 'stopped',
        summary: '`oauth2-proxy` refuses',
        details: [
          {
            mark: 'decides',
            text: 'CUSTOM `istio-system/istio-ingressgateway-oauth2-proxy` rule 1 matches',
            place: { file: 'kubeflow.yaml', line: 397, column: 5, path: 'spec.rules[0]' },
          },
          {
            mark: 'match',
            text: `  notPaths holds: path \`/api/runs\` does not match ${notPaths}`,
            place: { file: 'kubeflow.yaml', line: 399, column: 9, path: 'spec.rules[0].to[0].operation.notPaths' },
          },
          {
            mark: 'match',
            text: '  request.headers[authorization] holds: header `authorization` is absent',
            place: { file: 'kubeflow.yaml', line: 405, column: 7, path: 'spec.rules[0].when[0].notValues' },
          },
          { mark: 'info', text: '`oauth2-proxy` is asked GET `/api/runs?…`, with no headers' },
          {
            mark: 'decides',
            text: 'it answers 401: there is no session, and the path is an API by the entry `/api/` of `api_routes`, so 401 instead of a sign-in',
          },
        ],
      },
      { name: 'tokens', outcome: 'skipped', summary: 'never looked at', details: [] },
      { name: 'policies', outcome: 'skipped', summary: 'never asked', details: [] },
      { name: 'app', outcome: 'skipped', summary: 'receives nothing', details: [] },
    ],
    suggestions: [
      {
        kind: 'sign-in',
        text: 'sign in, or send a token of a trusted issuer',
        places: [],
        size: 1,
        becomes: { isAllowed: true, status: 200 },
      },
      {
        kind: 'exempt-path',
        text: 'add `/api/*` to the notPaths of `istio-ingressgateway-oauth2-proxy` (CUSTOM) and `istio-ingressgateway-require-jwt` (DENY): one alone changes nothing',
        places: [
          { file: 'kubeflow.yaml', line: 399, column: 9, path: 'spec.rules[0].to[0].operation.notPaths' },
          { file: 'kubeflow.yaml', line: 425, column: 9, path: 'spec.rules[0].to[0].operation.notPaths' },
        ],
        size: 6,
        becomes: { isAllowed: true, status: 200 },
      },
    ],
    caveats: [],
  })
})

test('the text for people is plain where nobody sees colours', async () => {
  const plain = (text: string) => text
  const style = { bold: plain, dim: plain, good: plain, warning: plain, problem: plain }
  const lines = formatExplanation(await explained('/oauth2/..//x'), style)
  expect(lines.slice(0, 7)).toEqual([
    'GET https://platform.example.com/oauth2/..//x  as anonymous, from 127.0.0.1',
    '',
    'Path      `//x`',
    '          · sent as `/oauth2/..//x`',
    '          · dot segments are resolved (pathNormalization BASE)',
    '          · repeated slashes are merged, as far as the mode asks for it (pathNormalization BASE)',
    'Headers   nothing to strip',
  ])
  expect(lines.join('\n')).toContain('Verdict   refused 403 · the provider `oauth2-proxy` refuses')
})

test('no secret of a request is repeated: tokens, cookies, values of headers and of telling parameters', async () => {
  const token = await stockToken()
  const secrets = ['c00kie-secret', 'basic-secret', 'header-secret', 'query-secret', 'code-secret', token]
  const headers = [
    ['Cookie', 'oauth2_proxy_kubeflow=c00kie-secret; other=c00kie-secret'],
    ['X-Api-Key', 'header-secret'],
  ] as const
  const query = `?access_token=query-secret&code=code-secret&q=${token}`
  const explanations = [
    await explained(`/x${query}`, { headers: [...headers, ['Authorization', 'Basic basic-secret']] }),
    await explained(`/x${query}`, { headers, token }),
    await explained(`/oauth2/callback${query}`, { headers }),
    await explained(`/x${query}`, { headers, as: 'ada@example.com' }),
  ]
  const text = JSON.stringify(explanations)
  for (const secret of secrets) expect(text).not.toContain(secret)
})
