import { type BrokerConfig, parseBrokerConfig } from '../../broker/config.ts'
import { unusedBrokerKeys } from '../../broker/unused-keys.ts'
import { formatPath } from '../../kit/problems.ts'
import { type Adapting, readSorted } from '../adapt.ts'
import type { Original } from '../originals.ts'

/** Reads Dex's `config.yaml`; `undefined` and problems where it cannot be run. */
export function importDex(
  { document, environment, filledIn = [] }: Original,
  adapting: Adapting,
): BrokerConfig | undefined {
  for (const { path, reason } of unusedBrokerKeys(document.value)) {
    if (filledIn.includes(String(path[0]))) continue
    adapting.report.at('ignored', document.source, path, formatPath(path), { why: reason })
  }
  return readSorted(adapting, (problems) => parseBrokerConfig(document, { env: environment.values, problems }))
}
