/** `istio`: Istio's behaviour to the letter, holes included. `native`: the same policies with the holes closed. */
export type GatewayMode = 'native' | 'istio'
