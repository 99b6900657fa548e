/**
 * Compiles `email_domains` (oauth2-proxy validator.go): `*` lets everyone in, `corp.org` its addresses, `.corp.org` and
 * `*.corp.org` those of its subdomains, not its own. An address needs exactly one `@` (CVE-2026-40574).
 */
export function compileEmailRule(domains: readonly string[]): (email: string) => boolean {
  const wanted = normalized(domains)
  if (wanted.includes('*')) return () => true
  const isInDomain = compileDomains(wanted)
  return (email) => isInDomain(domainOf(email))
}

/**
 * Compiles the query's `allowed_email_domains` (pkg/util/util.go `isHostnameAllowed`): there `.corp.org` and
 * `*.corp.org` are the domain and its subdomains, and `*` is no domain.
 */
export function compileQueryDomains(domains: readonly string[]): (email: string) => boolean {
  const wanted = normalized(domains).filter((domain) => domain !== '*')
  const parents = wanted.filter(isParent).map((domain) => domain.replace(/^\*?\./, ''))
  const isInDomain = compileDomains([...wanted, ...parents])
  return (email) => isInDomain(domainOf(email))
}

function normalized(domains: readonly string[]): string[] {
  return domains.map((domain) => domain.trim().toLowerCase()).filter((domain) => domain !== '')
}

function isParent(domain: string): boolean {
  return /^\*?\./.test(domain)
}

/** In lower case; `undefined` for what is no address. */
function domainOf(email: string): string | undefined {
  const [local, domain, ...more] = email.toLowerCase().split('@')
  return local && domain && more.length === 0 ? domain : undefined
}

function compileDomains(wanted: readonly string[]): (domain: string | undefined) => boolean {
  const exact = new Set(wanted.filter((domain) => !isParent(domain)))
  const endings = wanted.filter(isParent).map((domain) => domain.replace(/^\*/, ''))
  return (domain) => domain !== undefined && (exact.has(domain) || endings.some((ending) => domain.endsWith(ending)))
}
