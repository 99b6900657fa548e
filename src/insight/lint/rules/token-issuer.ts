import { chainExample } from '../chain-example.ts'
import type { Rule } from '../rule.ts'

/** Tokens that nothing at the gateway verifies. */
export const tokenIssuer: Rule = {
  id: 'token-issuer',
  severity: 'error',
  title: 'no RequestAuthentication is for the issuer of the tokens that oauth2-proxy adds',
  why: 'The login works, and every page after it answers 401 `Jwt issuer is not configured`.',
  remedy: 'Write Dex’s `issuer` into a jwtRule, to the letter.',
  bad: chainExample({ gatewayIssuer: 'https://platform.example.com/dex/' }),
  good: chainExample({ gatewayIssuer: 'https://platform.example.com/dex' }),
  isAbout: ({ hasProxy }) => hasProxy,
  find: ({ gateway, proxySetting }) => {
    const issuer = proxySetting('oidc_issuer_url')?.value
    const rules = gateway.requestAuthentications.flatMap(({ jwtRules }) => jwtRules)
    const [first] = rules
    if (typeof issuer !== 'string' || !first || String(proxySetting('set_authorization_header')?.value) !== 'true')
      return []
    if (rules.some((rule) => rule.issuer === issuer || rule.issuer === '')) return []
    const known = rules.map((rule) => `\`${rule.issuer}\``).join(', ')
    return [
      {
        place: first.place,
        message: `nothing verifies tokens of \`${issuer}\`, so every request would be refused (known: ${known})`,
        fix: 'write the issuer of the tokens here, to the letter',
      },
    ]
  },
}
