/** Every header the proxies we stand in for tell an app a user by (oauth2-proxy legacy_options.go, Arrikto authservice). */
export const knownIdentityNames: readonly string[] = [
  'kubeflow-userid',
  'kubeflow-groups',
  'x-auth-request-user',
  'x-auth-request-email',
  'x-auth-request-groups',
  'x-auth-request-preferred-username',
  'x-auth-request-access-token',
  'x-forwarded-user',
  'x-forwarded-email',
  'x-forwarded-groups',
  'x-forwarded-preferred-username',
  'x-forwarded-access-token',
]

/** How many different header names are remembered; they come from clients. */
const remembered = 1000

/**
 * Tells whether a request header, in any spelling, would be taken for one of ours: `X_Auth_Request_User` is
 * `x-auth-request-user` to an app behind CGI or WSGI. `more`: names the configuration adds. Never `authorization`, which a
 * client may send.
 */
export function compileIdentityNames(more: Iterable<string>): (name: string) => boolean {
  const names = new Set([...knownIdentityNames, ...more].map(fold))
  names.delete('authorization')
  const known = new Map<string, boolean>()
  return (name) => {
    const before = known.get(name)
    if (before !== undefined) return before
    const isIdentity = names.has(fold(name))
    if (known.size < remembered && name.length <= 64) known.set(name, isIdentity)
    return isIdentity
  }
}

function fold(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '-')
}
