import { chainExample } from '../chain-example.ts'
import { listSetting } from '../list-setting.ts'
import type { Example, Rule } from '../rule.ts'

function example(...groups: readonly string[]): Example {
  const files = chainExample({ gatewayIssuer: 'https://platform.example.com/dex' })
  const settings = [
    'kubernetes_token_audiences = ["istio-ingressgateway.istio-system.svc.cluster.local"]',
    `allowed_groups = [${groups.map((group) => `"${group}"`).join(', ')}]`,
  ]
  return { ...files, 'oauth2_proxy.cfg': `${files['oauth2_proxy.cfg']}${settings.join('\n')}\n` }
}

/** Service accounts are let in by one key and kept out by another. */
export const accountsShutOut: Rule = {
  id: 'accounts-shut-out',
  severity: 'warning',
  title: '`kubernetes_token_audiences` lets service accounts in, and who may enter leaves them all out',
  why: 'An account has no e-mail address and only Kubernetes’ own groups. Each of its requests is answered 403 `this service account may not enter`.',
  remedy:
    'Add `system:serviceaccounts`, or `system:serviceaccounts:NAMESPACE`, to `allowed_groups`; `email_domains` must have `*`, or `authenticated_emails_file` the names of the accounts.',
  bad: example('ml-team'),
  good: example('ml-team', 'system:serviceaccounts'),
  find: (subject) => {
    if (!listSetting(subject, 'kubernetes_token_audiences')?.values.length) return []
    const domains = listSetting(subject, 'email_domains')
    const groups = listSetting(subject, 'allowed_groups')
    const fix = 'add `system:serviceaccounts`'
    const hasAccounts = groups?.values.some((group) => group.startsWith('system:'))
    if (groups && groups.values.length > 0 && !hasAccounts) {
      return [{ place: groups.place, message: 'no service account is in one of these groups', fix }]
    }
    if (!domains || domains.values.includes('*') || subject.proxySetting('authenticated_emails_file')) return []
    return [{ place: domains.place, message: 'no service account has an address of these domains', fix: 'write `*`' }]
  },
}
