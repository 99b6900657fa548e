import type { BrokerConfig } from '../../broker/config.ts'
import type { Problems } from '../../kit/problems.ts'
import { pathOf } from '../host-map.ts'
import type { Originals } from '../originals.ts'
import { placeInDex, seenAt, tell } from '../places.ts'

/** A connector's redirectURI must be where Dex listens: the path of its issuer and `/callback`. */
export function checkConnectorCallbacks(
  { broker, originals }: { readonly broker: BrokerConfig | undefined; readonly originals: Originals },
  problems: Problems,
): void {
  if (!broker) return
  const callback = `${pathOf(broker.issuer)}/callback`
  if (callback === '/callback') {
    const message = `\`${broker.issuer}\` has no path, so Dex would take every path of this origin`
    tell(
      problems.under('issuer-without-path'),
      placeInDex(originals, ['issuer']),
      message,
      'write it with a path, as in `/dex`',
    )
  }
  for (const [index, { config }] of broker.connectors.entries()) {
    const redirectUri = 'redirectURI' in config ? config.redirectURI : undefined
    if (redirectUri === undefined || pathOf(redirectUri) === callback) continue
    const place = placeInDex(originals, ['connectors', index, 'config', 'redirectURI'])
    const message = `\`${redirectUri}\` is not where Dex listens, as its issuer is \`${broker.issuer}\`${seenAt(placeInDex(originals, ['issuer']))}`
    tell(problems.under('redirect-uri-mismatch'), place, message, `its path must be \`${callback}\``)
  }
}
