import { isAtGateway, policiesAtGateway } from '../conditions.ts'
import { needsToken } from '../providers.ts'
import type { Rule } from '../rule.ts'
import { signInExample } from '../sign-in-example.ts'

/** A token is asked for, and nobody sends people to get one. */
export const providerNeverAsked: Rule = {
  id: 'provider-never-asked',
  severity: 'error',
  title: 'requests without a token are refused, and no CUSTOM policy asks the provider first',
  why: 'Nobody sees a login: every page answers 403 `RBAC: access denied` to browsers.',
  remedy: 'Add the CUSTOM policy that belongs to the DENY: the same `notPaths`, for requests without `Authorization`.',
  bad: signInExample({ asks: false }),
  good: signInExample({}),
  find: (subject) => {
    const { deny } = policiesAtGateway(subject)
    const asks = subject.gateway.authorizationPolicies.some(
      (policy) => policy.action === 'CUSTOM' && isAtGateway(subject.gateway, policy),
    )
    const [provider] = subject.gateway.meshConfig.extensionProviders
    const policy = deny.find(({ rule }) => rule.sources.length > 0)?.policy
    if (!provider || !policy || asks || !needsToken(subject)) return []
    const message = `refuses requests without a token, and no CUSTOM policy of the gateway asks \`${provider.name}\` to bring one`
    return [{ place: policy.place, message, fix: 'add a CUSTOM policy with the same `notPaths`' }]
  },
}
