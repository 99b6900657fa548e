import type { Problems } from '../../kit/problems.ts'
import type { RequestAuthentication } from '../../policy/request-authentication.ts'
import { appliesTo } from '../../policy/scope.ts'
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
  const { requestAuthentications, workload, meshConfig } = gateway
  const isHere = (one: RequestAuthentication) => appliesTo(one, workload, meshConfig.rootNamespace)
  const rules = requestAuthentications.filter(isHere).flatMap(({ jwtRules }) => jwtRules)
  if (rules.some(({ issuer }) => issuer === proxy.oidc_issuer_url || issuer === '')) return
  const elsewhere = requestAuthentications
    .filter((one) => !isHere(one))
    .flatMap(({ jwtRules }) => jwtRules)
    .find(({ issuer }) => issuer === proxy.oidc_issuer_url)
  if (elsewhere && rules.length === 0) return // the gateway of these files is another
  const own = issuersIn(written)
  const issuers = own.length > 0 ? own : rules.map(({ issuer }) => issuer)
  const known = issuers.map((issuer) => `\`${issuer}\``).join(', ') || 'none'
  const tokens = proxyText(written.proxy, 'oidc_issuer_url') ?? proxy.oidc_issuer_url
  const told = elsewhere
    ? {
        message: `tokens of \`${tokens}\` are verified for other workloads, but not at the gateway, so every request would be refused`,
        fix: 'give it the namespace and the labels of the gateway',
      }
    : {
        message: `nothing verifies tokens of \`${tokens}\`, so every request would be refused (known: ${known})`,
        fix: 'write the issuer of the tokens here, to the letter',
      }
  const { place } = elsewhere ?? rules[0] ?? { place: { file: 'gatehouse', path: '' } }
  problems.list.push({ severity: 'error', rule: 'token-issuer', ...place, ...told })
}

/** The issuers as the files name them, not as they are called here. */
function issuersIn({ istio }: Originals): string[] {
  return istio.flatMap(({ value }) =>
    textsOf(objectsOf(objectOf(objectOf(value)['spec'])['jwtRules']).map(({ issuer }) => issuer)),
  )
}
