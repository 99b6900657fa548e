import { conditionsOf, isAboutPaths } from '../conditions.ts'
import { requireTokenExcept } from '../exemption-example.ts'
import { listedValues } from '../places.ts'
import type { Rule } from '../rule.ts'

/** A path written as a regular expression, as in oauth2-proxy. */
export const regularExpression: Rule = {
  id: 'regular-expression',
  severity: 'error',
  title: 'a path of a policy is a regular expression',
  why: 'AuthorizationPolicies know no regular expressions: `^/myapp/.*` is the text `^/myapp/.` and whatever follows, which no path begins with. An exempt path stays behind the login, a DENY denies nothing.',
  remedy:
    'Write `/myapp/*`, a list of paths, or a template such as `/a/{*}/b`. (`skip_auth_routes` of oauth2-proxy are regular expressions.)',
  bad: { 'policy.yaml': requireTokenExcept('^/myapp/.*') },
  good: { 'policy.yaml': requireTokenExcept('/myapp/*') },
  find: (subject) =>
    conditionsOf(subject)
      .filter(({ condition }) => isAboutPaths(condition))
      .flatMap(({ policy: resource, condition }) =>
        listedValues(subject, resource, condition)
          .filter(({ value }) => isExpression(value))
          .map(({ place, value }) => ({
            place,
            message: `\`${value}\` is taken as it stands, not as a regular expression, so no path matches it`,
            fix: 'write `/prefix/*`, or each path',
          })),
      ),
}

/** What no path has: an anchor, an alternative, a class, a repetition before the end. */
function isExpression(value: string): boolean {
  return value.startsWith('^') || value.endsWith('$') || /\([^)]*\|[^)]*\)|\[[^\]]*\][+*?]?|\.[*+].|\\./.test(value)
}
