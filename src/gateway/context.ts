import type { Clock } from '../kit/clock.ts'
import type { Log } from '../kit/log.ts'
import type { Random } from '../kit/random.ts'
import type { Observer } from './observer.ts'
import type { OpenSockets } from './open-sockets.ts'
import type { OriginPools } from './origin-pools.ts'
import type { PartServer } from './serve-part.ts'
import type { ResolveUpstream } from './upstreams.ts'

/** What every request is given of the gateway, beside the compiled configuration. */
export interface GatewayContext {
  readonly resolveUpstream: ResolveUpstream
  readonly ownCookies: (name: string) => boolean
  /** `https://platform.example.com`, no trailing slash; `undefined` where it is not known. */
  readonly publicOrigin: string | undefined
  /** Where the shared files of pages are; `undefined` answers in plain text only. */
  readonly assetsPath: string | undefined
  readonly requestId: () => string
  readonly pools: OriginPools
  readonly parts: PartServer
  readonly sockets: OpenSockets
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly observer: Observer | undefined
}
