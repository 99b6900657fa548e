import { compileQueryDomains } from './email-rule.ts'
import type { Session } from './session.ts'

type Constraint = (session: Session, wanted: readonly string[]) => boolean

/** Query parameters that narrow who may pass (oauth2-proxy oauthproxy.go `authOnlyAuthorize`). */
const constraints: Readonly<Record<string, Constraint>> = {
  allowed_groups: ({ groups = [] }, wanted) => groups.some((group) => wanted.includes(group)),
  allowed_emails: ({ email = '' }, wanted) => wanted.some((one) => one.toLowerCase() === email.toLowerCase()),
  allowed_email_domains: ({ email = '' }, wanted) => compileQueryDomains(wanted)(email),
}

/**
 * Whether the session meets the constraints in a request's query: comma lists, repeatable, one of each has to fit. An
 * empty one lets nobody through where `isStrict` (an unset nginx variable must not open the door; the original lets
 * everyone through), and is left out otherwise.
 */
export function meetsQueryConstraints(session: Session, uri: string, isStrict: boolean): boolean {
  const mark = uri.indexOf('?')
  if (mark < 0 || !uri.includes('allowed_', mark)) return true
  const query = new URLSearchParams(uri.slice(mark + 1))
  return Object.entries(constraints).every(([name, isMet]) => {
    const given = query.getAll(name)
    const wanted = given.flatMap((value) => value.split(',')).filter((value) => value !== '')
    if (wanted.length === 0) return given.length === 0 || !isStrict
    return isMet(session, wanted)
  })
}
