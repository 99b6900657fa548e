import { conditionsOf, requestOf } from '../conditions.ts'
import { listedValues } from '../places.ts'
import type { Rule } from '../rule.ts'

const policy = (hosts: string) => `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: admin, namespace: istio-system}
spec:
  action: DENY
  rules:
  - to:
    - operation: {hosts: [${hosts}]}
`

/** A host that is compared without its port. */
export const hostWithoutPort: Rule = {
  id: 'host-without-port',
  severity: 'warning',
  title: 'an exact host without `host:*` beside it',
  why: 'Policies compare the `Host` header with its port, routes without: `Host: admin.example.com:443` walks past a DENY for `admin.example.com`, and users of a port-forward get 403 from an ALLOW.',
  remedy: 'List both, `admin.example.com` and `admin.example.com:*`.',
  bad: { 'policy.yaml': policy('admin.example.com') },
  good: { 'policy.yaml': policy('admin.example.com, "admin.example.com:*"') },
  find: (subject) =>
    conditionsOf(subject)
      .filter(({ condition: { field } }) => field === 'hosts' || field === 'notHosts')
      .flatMap(({ policy: resource, condition }) =>
        listedValues(subject, resource, condition)
          .filter(({ value }) => !value.endsWith('*') && !/:\d+$/.test(value))
          .filter(({ value }) => !condition.test(requestOf({ host: `${value.replace(/^\*/, 'x')}:8443` })))
          .map(({ place, value }) => ({
            place,
            message: `\`${value}\` does not match \`${value.replace(/^\*/, 'x')}:8443\`, which is routed alike`,
            fix: value.startsWith('*') ? 'list the hosts, each with `:*`' : `add \`${value}:*\``,
          })),
      ),
  edits: ({ place, fix }) => {
    const [, item] = /^add `(.*)`$/.exec(fix ?? '') ?? []
    return item === undefined ? [] : [{ kind: 'add-item', place, after: item.slice(0, -2), item }]
  },
}
