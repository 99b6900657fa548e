import type { Ask } from './ask.ts'
import type { ExtensionProvider } from './mesh-config.ts'
import type { OriginPools } from './origin-pools.ts'
import type { ResolveUpstream } from './upstreams.ts'

const maxBodyBytes = 1024 * 1024

/**
 * Asks an HTTP ext_authz server on the network (Envoy ext_authz_http): the original path behind `pathPrefix`, the same
 * method and Host, the body where it was asked for. A failure to ask is thrown and counts as the provider's 5xx.
 */
export function openHttpAsk(
  provider: ExtensionProvider,
  { pools, resolveUpstream }: { pools: OriginPools; resolveUpstream: ResolveUpstream },
): Ask {
  const { service, port, pathPrefix, timeoutMilliseconds } = provider
  const slash = service.indexOf('/')
  const [namespace, host] = [slash < 0 ? '' : service.slice(0, slash), service.slice(slash + 1)]

  return async (request) => {
    const upstream = resolveUpstream(host, port, namespace)
    if (upstream?.kind !== 'origin') throw new TypeError(`${host}:${port} is not known on this network`)
    const response = await pools.get(upstream.origin).request({
      method: request.method as 'GET',
      path: pathPrefix + request.path,
      headers: { ...request.headers, host: request.host },
      ...(request.body ? { body: request.body } : {}),
      signal: AbortSignal.timeout(timeoutMilliseconds),
    })
    const headers = Object.entries(response.headers).flatMap(([name, value]) =>
      (Array.isArray(value) ? value : [value ?? '']).flatMap((one) => [name, one]),
    )
    return { status: response.statusCode, headers, body: await readBounded(response.body) }
  }
}

async function readBounded(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.byteLength
    if (size > maxBodyBytes) throw new TypeError(`the answer has more than ${maxBodyBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
