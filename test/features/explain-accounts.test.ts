import { expect, test } from 'vitest'
import type { ChainConfig } from '../../src/config/chain.ts'
import type { ProxyConfig } from '../../src/proxy/config.ts'
import { accountToken, clusterIssuer } from '../world/api-server.ts'
import { explained, layer, nowSeconds, stock, stockToken, told } from './explain-world.ts'

const audience = 'istio-ingressgateway.istio-system.svc.cluster.local'
const sub = 'system:serviceaccount:team:default-editor'
const path = '/pipeline/apis/v2beta1/x'

/** The stock platform whose proxy says this of accounts. */
function chainWith(settings: Partial<ProxyConfig>): ChainConfig {
  return stock.proxy ? { ...stock, proxy: { ...stock.proxy, ...settings } } : expect.fail('the stock has a proxy')
}

const listed = chainWith({ kubernetes_token_audiences: [audience] })
const tokenOf = (claims: Readonly<Record<string, unknown>> = {}) =>
  accountToken({ sub, aud: [audience], exp: nowSeconds + 600, ...claims })

test.each([
  ['by review', {}],
  ['by the keys', { kubernetes_token_review: false }],
])('an account’s token (%s) passes; that only the API server knows more is said', async (_, settings) => {
  const chain = chainWith({ kubernetes_token_audiences: [audience], ...settings })
  const explanation = await explained(path, { chain, token: await tokenOf() })
  expect(explanation.verdict).toMatchObject({ isAllowed: true, status: 200 })
  expect(layer(explanation, 'tokens').summary).toBe(`verified as \`${clusterIssuer}/${sub}\``)
  expect(told(explanation, 'tokens')).toContain(
    `the cluster’s service accounts of \`kubernetes_token_audiences\` (\`${audience}\`) accept it`,
  )
  expect(told(explanation, 'app')).toContain(`kubeflow-userid: ${sub}`)
  expect(told(explanation, 'app')).toContain('kubeflow-groups: system:serviceaccounts,system:serviceaccounts:team')
  expect(explanation.caveats).toEqual([expect.stringContaining('only the API server can tell')])
})

test('where no audience is listed, listing the token’s is what would help', async () => {
  const explanation = await explained(path, { chain: chainWith({}), token: await tokenOf() })
  expect(explanation.verdict).toMatchObject({ isAllowed: false, status: 401, body: 'Jwt issuer is not configured' })
  expect(explanation.suggestions.map(({ text }) => text)).toContain(
    `let service accounts in: add \`${audience}\` to \`kubernetes_token_audiences\` of the proxy`,
  )
})

test('the audience of the API server itself is never one to list; a token for a listed one is', async () => {
  const token = await tokenOf({ aud: [clusterIssuer] })
  const unlisted = await explained(path, { chain: chainWith({}), token })
  expect(unlisted.suggestions.map(({ text }) => text).join()).not.toContain('kubernetes_token_audiences')
  const explanation = await explained(path, { chain: listed, token })
  expect(explanation.verdict).toMatchObject({ status: 403, body: 'Audiences in Jwt are not allowed' })
  expect(told(explanation, 'tokens')).toContain(`kubernetes_token_audiences\` (\`${audience}\`)`)
  expect(explanation.suggestions.map(({ text }) => text)).toContain(`mint the token with audience \`${audience}\``)
})

test('an account that may not enter is told so', async () => {
  const chain = chainWith({ kubernetes_token_audiences: [audience], email_domains: ['example.com'] })
  const explanation = await explained(path, { chain, token: await tokenOf() })
  expect(explanation.verdict).toMatchObject({ status: 403, body: 'this service account may not enter' })
})

test('people’s tokens are explained as ever, and in istio mode accounts’ are too', async () => {
  const person = await explained(path, { chain: listed, token: await stockToken() })
  expect(person.verdict.status).toBe(200)
  expect(person.caveats.join()).toContain('the signature of the token was not checked')
  const mesh = await explained(path, { chain: listed, mode: 'istio', token: await tokenOf() })
  expect(mesh.verdict).toMatchObject({ status: 401, body: 'Jwt issuer is not configured' })
  expect(told(mesh, 'tokens')).not.toContain('kubernetes_token_audiences')
})
