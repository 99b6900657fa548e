import type { Broker } from '../broker.ts'

/** What every page of the broker is drawn with. */
export interface Look {
  readonly assetsPath: string
  readonly requestId: string | undefined
}

export function lookOf({ issuer }: Broker, requestId: string | undefined): Look {
  return { assetsPath: `${issuer.path}/static`, requestId }
}
