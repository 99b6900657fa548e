import { RE2JS } from 're2js'
import type { Problems, Source } from '../kit/problems.ts'
import type { ConnectorConfig } from './connectors/index.ts'
import { openIssuer } from './issuer.ts'

/** Connector settings that are read and will not do what they seem to. */
export function warnOfConnectors(
  { issuer, connectors }: { readonly issuer: string; readonly connectors: readonly ConnectorConfig[] },
  { source, problems }: { source: Source; problems: Problems },
): void {
  const callback = openIssuer(issuer).absolute('/callback')
  for (const [index, { type, config }] of connectors.entries()) {
    if (type !== 'oidc') continue
    const path = ['connectors', index, 'config']
    const { redirectURI, claimModifications } = config
    if (redirectURI !== undefined && redirectURI !== callback) {
      const message = `\`${redirectURI}\` is not the issuer followed by /callback; Dex would refuse every sign-in`
      const meant = /^(.+)\/callback$/.exec(redirectURI)?.[1]
      const orIssuer = meant === undefined ? '' : `, or make the issuer \`${meant}\`, if browsers know it so`
      problems.warn(source, [...path, 'redirectURI'], message, `write \`${callback}\`${orIssuer}`)
    }
    const { groupsFilter } = claimModifications.filterGroupClaims
    if (!isExpression(groupsFilter)) {
      const message = `\`${groupsFilter}\` is no regular expression (RE2), so it filters nothing, as in Dex`
      problems.warn(source, [...path, 'claimModifications', 'filterGroupClaims', 'groupsFilter'], message)
    }
  }
}

function isExpression(text: string): boolean {
  try {
    RE2JS.compile(text)
    return true
  } catch {
    return false
  }
}
