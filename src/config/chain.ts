import type { BrokerConfig } from '../broker/config.ts'
import type { GatewayConfig } from '../gateway/config.ts'
import type { GatewayMode } from '../gateway/gateway-mode.ts'
import type { ProxyConfig } from '../proxy/config.ts'
import type { RealmConfig } from '../realm/config.ts'
import type { HostMap } from './host-map.ts'
import type { Report } from './report.ts'

/** The typed configuration of a whole chain: everything the composition root needs to open it. */
export interface ChainConfig {
  /** Origin browsers use; no trailing slash. */
  readonly publicUrl: string
  readonly realm?: RealmConfig
  readonly broker?: BrokerConfig
  readonly proxy?: ProxyConfig
  readonly gateway: GatewayConfig
  /** `native` unless told. */
  readonly gatewayMode?: GatewayMode
  /** Which part answers for a host inside the cluster; ask with `partAt`. */
  readonly hosts: HostMap
  readonly report: Report
}
