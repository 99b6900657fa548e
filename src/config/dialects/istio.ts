import { type GatewayConfig, parseGatewayConfig } from '../../gateway/config.ts'
import type { SourceDocument } from '../../kit/problems.ts'
import { type Adapting, readSorted } from '../adapt.ts'

/** Reads Istio resources and MeshConfigs; what cannot be enforced is a problem. */
export function importIstio(documents: readonly SourceDocument[], adapting: Adapting): GatewayConfig {
  return readSorted(adapting, (problems) => parseGatewayConfig(documents, problems))
}
