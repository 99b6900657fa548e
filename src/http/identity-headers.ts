/** Every header the proxies we stand in for tell an app a user by (oauth2-proxy legacy_options.go, Arrikto authservice). */
export const identityHeaders: readonly string[] = [
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

/**
 * The one spelling of all that some server behind us takes for one name: `Kubeflow_UserID` and `kubeflow.userid` are
 * `kubeflow-userid` behind CGI or WSGI.
 */
export function foldHeaderName(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '-')
}
