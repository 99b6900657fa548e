import { parseAuthserviceEnv } from '../../proxy/authservice/parse-environment.ts'
import type { ProxyConfig } from '../../proxy/config.ts'
import { type Adapting, readSorted } from '../adapt.ts'
import { type Environment, readEnvironment } from '../environment.ts'

/** Reads oidc-authservice's variables; `undefined` and problems where they cannot be run. */
export function importAuthservice(environment: Environment, adapting: Adapting): ProxyConfig | undefined {
  return readSorted(adapting, (sorted) =>
    readEnvironment(environment, sorted, (source, problems) =>
      parseAuthserviceEnv({ values: environment.values, source }, { cookieSecret: adapting.secrets.cookie, problems }),
    ),
  )
}
