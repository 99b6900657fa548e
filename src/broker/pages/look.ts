import type { Broker } from '../broker.ts'

/** What every page of the broker is drawn with. */
export interface Look {
  readonly assetsPath: string
  readonly requestId: string | undefined
  /** `frontend.issuer`: what the platform is called. */
  readonly brandName?: string
}

/** The look of this broker's pages, for one request. */
export function lookOf({ issuer, config }: Broker, requestId: string | undefined): Look {
  const brandName = config.frontend.issuer
  return { assetsPath: `${issuer.path}/static`, requestId, ...(brandName === '' ? {} : { brandName }) }
}
