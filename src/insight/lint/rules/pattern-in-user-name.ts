import { conditionsOf } from '../conditions.ts'
import { listedValues } from '../places.ts'
import type { Rule } from '../rule.ts'

const policy = (user: string) => `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: user-contributor-clusterrole-edit, namespace: team}
spec:
  rules:
  - when:
    - key: request.headers[kubeflow-userid]
      values: ["${user}"]
`

/** A user name that Istio reads as a pattern. */
export const patternInUserName: Rule = {
  id: 'pattern-in-user-name',
  severity: 'error',
  title: 'a user name with `*`, as Kubeflow’s access manager writes it',
  why: 'Kubeflow’s access manager (KFAM) writes the name of a contributor into the policy as it was typed, and Istio reads it as a pattern: a contributor called `*@example.com` gives the namespace to the whole company.',
  remedy: 'Name each user, or give access to a group by its header.',
  bad: { 'policy.yaml': policy('*@example.com') },
  good: { 'policy.yaml': policy('ada@example.com') },
  find: (subject) =>
    conditionsOf(subject)
      .filter(
        ({ condition: { field, isNegated } }) => !isNegated && /^request\.headers\[.*(?:user|email).*\]$/i.test(field),
      )
      .filter(({ policy: { action } }) => action === 'ALLOW')
      .flatMap(({ policy: resource, condition }) =>
        listedValues(subject, resource, condition)
          .filter(({ value }) => value.startsWith('*') || value.endsWith('*'))
          .map(({ place, value }) => ({
            place,
            message: `\`${value}\` is a pattern, so everyone it matches has access`,
            fix: 'write the names',
          })),
      ),
}
