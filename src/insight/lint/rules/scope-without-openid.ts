import { chainExample } from '../chain-example.ts'
import { placeOf } from '../places.ts'
import type { Rule } from '../rule.ts'

const providers: readonly string[] = ['oidc', 'keycloak-oidc', 'entra-id', 'adfs']

/** OpenID Connect is not asked for. */
export const scopeWithoutOpenid: Rule = {
  id: 'scope-without-openid',
  severity: 'error',
  title: 'oauth2-proxy asks for scopes without `openid`',
  why: 'Nobody can sign in: Dex answers `Missing required scope(s) ["openid"]`, Keycloak gives no ID token.',
  remedy: 'Add `openid` to `scope`, or leave `scope` out.',
  bad: chainExample({ scope: 'email groups' }),
  good: chainExample({}),
  find: ({ proxySetting }) => {
    const scope = proxySetting('scope')
    const scopes = String(scope?.value ?? '')
      .split(' ')
      .filter(Boolean)
    const isOidc = providers.includes(String(proxySetting('provider')?.value))
    if (!scope || !isOidc || scopes.length === 0 || scopes.includes('openid')) return []
    return [{ place: placeOf(scope), message: `\`${scopes.join(' ')}\` is without \`openid\``, fix: 'add `openid`' }]
  },
  edits: ({ place }, { proxySetting }) => {
    const [first] = String(proxySetting('scope')?.value ?? '').split(' ')
    return first ? [{ kind: 'replace', place, from: first, to: `openid ${first}` }] : []
  },
}
