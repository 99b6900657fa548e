import type { BrokerConfig } from '../../broker/config.ts'
import type { GatewayConfig } from '../../gateway/config.ts'
import type { ProxyConfig } from '../../proxy/config.ts'
import type { Originals } from '../originals.ts'

/** The files of a chain, and of its parts those that could be read without error. */
export interface CheckedChain {
  readonly publicUrl: string
  readonly originals: Originals
  /** The same before anything was adapted: what people find in their files. */
  readonly written: Originals
  readonly broker: BrokerConfig | undefined
  readonly proxy: ProxyConfig | undefined
  readonly gateway: GatewayConfig
}
