import type { Problems } from '../../kit/problems.ts'
import type { CheckedChain } from './checked-chain.ts'
import { checkConnectorCallbacks } from './connector-callbacks.ts'
import { checkExemptions } from './exemptions.ts'
import { checkGroups } from './groups.ts'
import { checkProxyClient } from './proxy-client.ts'
import { checkRealmClients } from './realm-clients.ts'
import { checkTokenIssuer } from './token-issuer.ts'

/** What one file says and another must say, too: each mismatch is a login that fails. Both places are told. */
export function checkChain(chain: CheckedChain, problems: Problems): void {
  checkProxyClient(chain, problems)
  checkConnectorCallbacks(chain, problems)
  checkRealmClients(chain, problems)
  checkTokenIssuer(chain, problems)
  checkExemptions(chain.originals, problems)
  checkGroups(chain, problems)
}
