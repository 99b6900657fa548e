import type { GatewayConfig } from '../../gateway/config.ts'
import type { Problems } from '../../kit/problems.ts'
import type { ProxyConfig } from '../../proxy/config.ts'

/** A RequestAuthentication must verify the tokens that the proxy adds to requests. */
export function checkTokenIssuer(
  { gateway, proxy }: { readonly gateway: GatewayConfig; readonly proxy: ProxyConfig | undefined },
  problems: Problems,
): void {
  if (!proxy || proxy.authservice || !proxy.set_authorization_header) return
  const rules = gateway.requestAuthentications.flatMap(({ jwtRules }) => jwtRules)
  if (rules.some(({ issuer }) => issuer === proxy.oidc_issuer_url || issuer === '')) return
  const known = rules.map(({ issuer }) => `\`${issuer}\``).join(', ') || 'none'
  const [first] = rules
  problems.list.push({
    severity: 'error',
    rule: 'token-issuer',
    ...(first?.place ?? { file: 'gatehouse', path: '' }),
    message: `nothing verifies tokens of \`${proxy.oidc_issuer_url}\`, so every request would be refused (known: ${known})`,
    fix: 'write the issuer of the tokens here, to the letter',
  })
}
