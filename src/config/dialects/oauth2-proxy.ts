import type { ProxyConfig } from '../../proxy/config.ts'
import { parseProxyOptions } from '../../proxy/options.ts'
import { type Adapting, readSorted } from '../adapt.ts'
import { readEnvironment } from '../environment.ts'
import type { ProxyOriginal } from '../originals.ts'

/** Reads oauth2-proxy's file, variables and flags; `undefined` and problems where they cannot be run. */
export function importOauth2Proxy(
  { document, environment }: ProxyOriginal,
  adapting: Adapting,
): ProxyConfig | undefined {
  return readSorted(adapting, (sorted) =>
    readEnvironment(environment, sorted, (source, problems) =>
      parseProxyOptions({
        ...(document ? { toml: document } : {}),
        env: { values: environment.values, source },
        problems,
      }),
    ),
  )
}
