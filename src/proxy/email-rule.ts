/**
 * Compiles `email_domains` (oauth2-proxy pkg/validation, validator.go): `*` lets everyone in, `corp.org` its addresses,
 * `.corp.org` and `*.corp.org` those of its subdomains, too. An address needs exactly one `@` (CVE-2026-40574).
 */
export function compileEmailRule(domains: readonly string[]): (email: string) => boolean {
  const wanted = domains.map((domain) => domain.trim().toLowerCase()).filter((domain) => domain !== '')
  if (wanted.includes('*')) return () => true
  const exact = new Set(wanted.filter((domain) => !/^\*?\./.test(domain)))
  const parents = wanted.filter((domain) => /^\*?\./.test(domain)).map((domain) => domain.replace(/^\*/, ''))
  return (email) => {
    const parts = email.toLowerCase().split('@')
    const [local, domain] = parts
    if (parts.length !== 2 || !local || !domain) return false
    return exact.has(domain) || parents.some((parent) => domain.endsWith(parent) || domain === parent.slice(1))
  }
}
