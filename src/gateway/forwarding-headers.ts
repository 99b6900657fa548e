import type { Exchange } from './exchange.ts'

/**
 * Tells of the request's way here, before anything is judged, so that what is judged is what is forwarded. What a client
 * says of it stays only where a trusted proxy stands in front, or in istio mode, where `X-Forwarded-For` is always
 * added to (Envoy `use_remote_address`) and `X-Forwarded-Host` is nobody's business.
 */
export function addForwardingHeaders(exchange: Exchange): void {
  const { headers, state, peerAddress, clientAddress, scheme, host, requestId } = exchange
  const isTrusting = state.config.meshConfig.numTrustedProxies > 0
  const before = isTrusting || !state.isNative ? headers.get('x-forwarded-for') : undefined
  headers.set('x-forwarded-for', before ? `${before},${peerAddress}` : peerAddress)
  headers.set('x-forwarded-proto', scheme)
  headers.set('x-request-id', requestId)
  if (!state.isNative) headers.set('x-envoy-external-address', clientAddress)
  if (!state.isNative || (isTrusting && headers.get('x-forwarded-host') !== undefined)) return
  headers.set('x-forwarded-host', host)
}
