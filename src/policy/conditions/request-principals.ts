import { compileTexts, isNotEmpty } from '../text-match.ts'
import { anyOf, type ConditionKind, literalPrefix } from './condition.ts'

/**
 * `iss/sub` of the verified token (Istio pilot/pkg/security/authz/model/generator.go requestPrincipalGenerator): the
 * pattern is cut at its last `/`, since an issuer may be a URL, and each part must match.
 */
export const requestPrincipals: ConditionKind = {
  needsIdentity: true,
  compile(values) {
    const principals = values.map(parsePrincipal)
    return ({ claims }) => {
      if (!claims) return false
      const { iss, sub } = claims
      if (typeof iss !== 'string' || typeof sub !== 'string') return false
      return principals.some((principal) => principal.issuer(iss) && principal.subject(sub))
    }
  },
  lookup: {
    textsOf: ({ claims }) => (claims ? `${claims['iss']}/${claims['sub']}` : undefined),
    prefixOf: literalPrefix,
  },
  matched: ({ claims }, { values }) =>
    `request principal \`${claims?.['iss']}/${claims?.['sub']}\` matches ${anyOf(values)}`,
  missed({ claims }, { values }) {
    if (!claims) return 'there is no verified token, so no request principal'
    if (typeof claims['iss'] !== 'string' || typeof claims['sub'] !== 'string') {
      return 'the token lacks `iss` or `sub`, so it is no request principal'
    }
    return `request principal \`${claims['iss']}/${claims['sub']}\` does not match ${anyOf(values)}`
  },
}

interface Principal {
  readonly issuer: (text: string) => boolean
  readonly subject: (text: string) => boolean
}

/** The order of the cases is Istio's and decides what `*` means in patterns with more than one. */
function parsePrincipal(value: string): Principal {
  const slash = value.lastIndexOf('/')
  const [iss, sub] = slash < 0 ? [value, ''] : [value.slice(0, slash), value.slice(slash + 1)]
  if (value === '*') return { issuer: isNotEmpty, subject: isNotEmpty }
  if (value.startsWith('*')) {
    if (slash < 0) return { issuer: isNotEmpty, subject: (text) => text.endsWith(value.slice(1)) }
    return { issuer: compileTexts([iss]), subject: (text) => text === sub }
  }
  if (value.endsWith('*')) {
    if (slash < 0) return { issuer: (text) => text.startsWith(value.slice(0, -1)), subject: isNotEmpty }
    const subject = sub === '*' ? isNotEmpty : (text: string) => text.startsWith(sub.slice(0, -1))
    return { issuer: (text) => text === iss, subject }
  }
  return { issuer: (text) => text === iss, subject: (text) => text === sub }
}
