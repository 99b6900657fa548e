import type { Problems } from '../../kit/problems.ts'
import { objectOf, objectsOf, textsOf } from '../json-values.ts'
import type { Originals } from '../originals.ts'
import { proxyText } from '../proxy-settings.ts'
import type { CheckedChain } from './checked-chain.ts'

/** A RequestAuthentication must verify the tokens that the proxy adds to requests. */
export function checkTokenIssuer(
  { gateway, proxy, written }: Pick<CheckedChain, 'gateway' | 'proxy' | 'written'>,
  problems: Problems,
): void {
  if (!proxy || proxy.authservice || !proxy.set_authorization_header) return
  const rules = gateway.requestAuthentications.flatMap(({ jwtRules }) => jwtRules)
  if (rules.some(({ issuer }) => issuer === proxy.oidc_issuer_url || issuer === '')) return
  const own = issuersIn(written)
  const issuers = own.length > 0 ? own : rules.map(({ issuer }) => issuer)
  const known = issuers.map((issuer) => `\`${issuer}\``).join(', ') || 'none'
  const tokens = proxyText(written.proxy, 'oidc_issuer_url') ?? proxy.oidc_issuer_url
  const [first] = rules
  problems.list.push({
    severity: 'error',
    rule: 'token-issuer',
    ...(first?.place ?? { file: 'gatehouse', path: '' }),
    message: `nothing verifies tokens of \`${tokens}\`, so every request would be refused (known: ${known})`,
    fix: 'write the issuer of the tokens here, to the letter',
  })
}

/** The issuers as the files name them, not as they are called here. */
function issuersIn({ istio }: Originals): string[] {
  return istio.flatMap(({ value }) =>
    textsOf(objectsOf(objectOf(objectOf(value)['spec'])['jwtRules']).map(({ issuer }) => issuer)),
  )
}
