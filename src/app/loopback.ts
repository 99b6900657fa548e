import type { ChainConfig } from '../config/chain.ts'
import type { ChainPart } from '../config/stock.ts'
import type { Fetch, RequestContext } from '../http/part.ts'
import { type Random, randomUuid } from '../kit/random.ts'
import type { RunningParts } from './parts.ts'

/** First path segments the parts have on the public origin. */
const partByPath: Readonly<Record<string, ChainPart>> = {
  auth: 'realm',
  dex: 'broker',
  oauth2: 'proxy',
  authservice: 'proxy',
  gatehouse: 'console',
}

/**
 * The `fetch` the parts are given: a URL of ours is answered by the other part's own `fetch()`, everything else goes
 * out. The parts speak the same HTTP either way, so one process or many is a matter of configuration.
 */
export function loopbackFetch({
  chain,
  parts,
  outside,
  random,
}: {
  chain: Pick<ChainConfig, 'publicUrl' | 'hosts'>
  parts: RunningParts
  outside: Fetch
  random: Random
}): Fetch {
  return async (input, init) => {
    const request = new Request(input, init)
    const name = partOf(new URL(request.url), chain)
    const part = name && parts[name]
    if (!part) return outside(request)
    const context: RequestContext = { requestId: randomUuid(random), clientAddress: '127.0.0.1' }
    return part.fetch(request, context)
  }
}

function partOf(url: URL, { publicUrl, hosts }: Pick<ChainConfig, 'publicUrl' | 'hosts'>): ChainPart | undefined {
  if (url.origin !== publicUrl) return hosts.get(url.hostname)
  const segment = url.pathname.split('/')[1] ?? ''
  return Object.hasOwn(partByPath, segment) ? partByPath[segment] : undefined
}
