import { conditionsOf, isAboutPaths } from '../conditions.ts'
import { listedValues } from '../places.ts'
import type { Rule } from '../rule.ts'

const policy = (path: string) => `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: no-logs, namespace: istio-system}
spec:
  action: DENY
  rules:
  - to:
    - operation: {paths: ["${path}"]}
`

/** A `?` in a path: the query is cut off before paths are compared. */
export const queryInPath: Rule = {
  id: 'query-in-path',
  severity: 'error',
  title: 'a `?` or `#` in a path',
  why: 'Query and fragment are removed before paths are compared, so the value never matches: a DENY with it denies nothing, an exemption exempts nothing.',
  remedy: 'Write the path without its query; a query can only be matched by a VirtualService.',
  bad: { 'policy.yaml': policy('/api/logs?follow=1') },
  good: { 'policy.yaml': policy('/api/logs') },
  find: (subject) =>
    conditionsOf(subject)
      .filter(({ condition }) => isAboutPaths(condition))
      .flatMap(({ policy: resource, condition }) =>
        listedValues(subject, resource, condition)
          .filter(({ value }) => /[?#]/.test(value))
          .map(({ place, value }) => ({
            place,
            message: `\`${value}\` never matches, as paths are compared without their query`,
            fix: `write \`${value.replace(/[?#].*$/, '')}\``,
          })),
      ),
}
