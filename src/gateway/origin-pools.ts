import { H2CClient, Pool } from 'undici'
import { type Http2Origin, openHttp2Origin } from './http2-origin.ts'

/** Connections to the origins behind the gateway, kept alive, one pool each. */
export interface OriginPools {
  get(origin: string): Pool
  /** Over HTTP/2: without TLS by prior knowledge, with it as the origin agrees. */
  getHttp2(origin: string): Pool
  /** The same for answers of any length. */
  streamHttp2(origin: string): Http2Origin
  close(): Promise<void>
}

/** Envoy's default cluster `connect_timeout`, milliseconds. */
const connectTimeout = 10_000

/** Answers may take as long as they like: streams and long polls pass. */
const patience = { headersTimeout: 0, bodyTimeout: 0, connect: { timeout: connectTimeout } }

/** Opens pools as origins are first needed. */
export function openOriginPools(): OriginPools {
  const pools = new Map<string, Pool>()
  const streaming = new Map<string, Http2Origin>()

  function known(name: string, open: () => Pool): Pool {
    const pool = pools.get(name) ?? open()
    pools.set(name, pool)
    return pool
  }

  return {
    get: (origin) => known(origin, () => new Pool(origin, { ...patience, pipelining: 1 })),
    getHttp2: (origin) =>
      known(`h2 ${origin}`, () =>
        origin.startsWith('https:')
          ? new Pool(origin, { ...patience, allowH2: true })
          : // 100 streams each; who finds none free opens one more
            new Pool(origin, { ...patience, factory: (url) => new H2CClient(url, patience) }),
      ),
    streamHttp2(origin) {
      const known = streaming.get(origin) ?? openHttp2Origin(origin, { connectTimeout })
      streaming.set(origin, known)
      return known
    },
    async close() {
      for (const origin of streaming.values()) origin.destroy()
      await Promise.all([...pools.values()].map((pool) => pool.destroy()))
    },
  }
}
