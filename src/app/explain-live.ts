import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { ChainConfig } from '../config/chain.ts'
import type { Fetch } from '../http/part.ts'
import type { AskedRequest } from '../insight/explain/situation.ts'
import { fail } from '../kit/errors.ts'

/** Reaches the issuers of a running chain: hosts inside its cluster are asked for at its public origin. */
export function liveFetch(live: string, { hosts, publicUrl }: ChainConfig, outside: Fetch): Fetch {
  return (input, init) => {
    const request = new Request(input, init)
    const url = new URL(request.url)
    const part = hosts.get(url.hostname)
    const isOurs = url.origin === publicUrl || part === 'realm' || part === 'broker'
    return outside(isOurs ? new Request(`${live}${url.pathname}${url.search}`, request) : request)
  }
}

/** Methods that change nothing. */
const safe = ['GET', 'HEAD', 'OPTIONS']

/**
 * What a running chain answers to the very request; `undefined` for one that could change something.
 * @throws GatehouseError `live` where it does not answer.
 */
export async function askLive(
  live: string,
  { method, target, host, headers, identity }: AskedRequest,
): Promise<{ readonly status: number; readonly requestId?: string } | undefined> {
  if (!safe.includes(method)) return undefined
  const token = identity?.kind === 'token' ? [['Authorization', `Bearer ${identity.token}`] as const] : []
  const hasHost = headers.some(([name]) => name.toLowerCase() === 'host')
  const all = [...(hasHost ? [] : [['Host', host] as const]), ...headers, ...token]
  const { protocol, hostname, port } = new URL(live)
  const send = protocol === 'https:' ? httpsRequest : httpRequest
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const options = { hostname, port, method, path: target, headers: all.flat(), setHost: false, agent: false }
    send(options, resolve).on('error', reject).setTimeout(10_000).end()
  }).catch((cause: unknown) => fail('live', `no answer from \`${live}\`; is the chain running there?`, { cause }))
  response.destroy()
  const requestId = response.headers['x-request-id']
  const status = response.statusCode ?? 0
  return typeof requestId === 'string' ? { status, requestId } : { status }
}
