import { fileURLToPath } from 'node:url'
import { readChain } from '../../src/app/explain-chain.ts'
import { explainRequest, type Sender } from '../../src/app/explain-request.ts'
import type { ChainConfig } from '../../src/config/chain.ts'
import { parseGatewayConfig } from '../../src/gateway/config.ts'
import type { GatewayMode } from '../../src/gateway/gateway-mode.ts'
import type { Explanation, Layer } from '../../src/insight/explain/explanation.ts'
import type { Identity } from '../../src/insight/explain/situation.ts'
import { Problems } from '../../src/kit/problems.ts'
import { testClock } from '../world/clock.ts'
import { seededRandom } from '../world/random.ts'
import { documents, mint } from './gateway-world.ts'

export const publicUrl = 'https://platform.example.com'
export const nowSeconds = testClock().now() / 1000

/** Kubeflow's own files, as `up --from` reads them. */
export const stock = readChain({
  source: { kind: 'directory', path: fileURLToPath(new URL('../fixtures/kubeflow/stock', import.meta.url)) },
  publicUrl,
  dataDirectory: '/nonexistent',
  random: seededRandom(),
})

/** The issuer whose tokens the stock files trust. */
export const stockIssuer = stock.proxy?.oidc_issuer_url ?? ''

/** The stock chain with these Istio resources in place of its own. */
export function chainOf(yaml: string): ChainConfig {
  const problems = new Problems()
  const gateway = parseGatewayConfig(documents(yaml), problems, { providers: ['oauth2-proxy'] })
  problems.throwIfAny()
  return { ...stock, gateway }
}

/** How a request deviates from an anonymous `GET`. */
export interface Asking {
  readonly chain?: ChainConfig
  readonly mode?: GatewayMode
  readonly method?: string
  readonly host?: string
  readonly headers?: readonly (readonly [string, string])[]
  readonly as?: string
  readonly groups?: readonly string[]
  readonly token?: string
  readonly identity?: Identity
  readonly from?: string
}

/** Explains a request to the stock chain. */
export function explained(target: string, asking: Asking = {}): Promise<Explanation> {
  const {
    chain = stock,
    mode = 'native',
    method = 'GET',
    host = 'platform.example.com',
    headers = [],
    from = '127.0.0.1',
  } = asking
  return explainRequest({
    chain,
    mode,
    request: { method, target, host, headers, peerAddress: from },
    sender: senderOf(asking),
    live: undefined,
    clock: testClock(),
    random: seededRandom(),
  })
}

function senderOf({ as, groups = [], token, identity }: Asking): Sender {
  if (identity) return { kind: 'identity', identity }
  if (token !== undefined) return { kind: 'identity', identity: { kind: 'token', token } }
  return as === undefined ? { kind: 'anonymous' } : { kind: 'user', user: as, groups }
}

/** A token of the stock issuer, changed by `claims`. */
export function stockToken(claims: Readonly<Record<string, unknown>> = {}): Promise<string> {
  return mint({ iss: stockIssuer, sub: 'ada-id', email: 'ada@example.com', exp: nowSeconds + 600, ...claims })
}

/** One layer of an explanation. */
export function layer(explanation: Explanation, name: Layer['name']): Layer {
  const found = explanation.layers.find((one) => one.name === name)
  if (!found) throw new Error(`there is no layer ${name}`)
  return found
}

/** What a layer tells, as one text. */
export function told(explanation: Explanation, name: Layer['name']): string {
  const { summary, details } = layer(explanation, name)
  return [summary, ...details.map(({ text }) => text)].join('\n')
}
