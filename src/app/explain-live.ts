import type { ChainConfig } from '../config/chain.ts'
import type { Fetch } from '../http/part.ts'

/** Paths the parts have on the public origin, by the part. */
const pathOfPart: Readonly<Record<string, string>> = { realm: '/auth', broker: '/dex' }

/** Reaches the issuers of a running chain: hosts inside its cluster are asked for at its public origin. */
export function liveFetch(live: string, { hosts, publicUrl }: ChainConfig, outside: Fetch): Fetch {
  return (input, init) => {
    const request = new Request(input, init)
    const url = new URL(request.url)
    const part = hosts.get(url.hostname)
    const isOurs = url.origin === publicUrl || (part !== undefined && pathOfPart[part] !== undefined)
    if (!isOurs) return outside(request)
    return outside(new Request(`${live}${url.pathname}${url.search}`, request))
  }
}
