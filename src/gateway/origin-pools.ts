import { Pool } from 'undici'

/** Connections to the origins behind the gateway, kept alive, one pool each. */
export interface OriginPools {
  get(origin: string): Pool
  close(): Promise<void>
}

/** Envoy's default cluster `connect_timeout`, milliseconds. */
const connectTimeout = 10_000

/** Opens pools as origins are first needed. Answers may take as long as they like: streams and long polls pass. */
export function openOriginPools(): OriginPools {
  const pools = new Map<string, Pool>()
  return {
    get(origin) {
      const known = pools.get(origin)
      if (known) return known
      const pool = new Pool(origin, {
        pipelining: 1,
        headersTimeout: 0,
        bodyTimeout: 0,
        connect: { timeout: connectTimeout },
      })
      pools.set(origin, pool)
      return pool
    },
    async close() {
      await Promise.all([...pools.values()].map((pool) => pool.destroy()))
    },
  }
}
