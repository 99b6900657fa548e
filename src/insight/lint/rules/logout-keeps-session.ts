import { placeOf } from '../places.ts'
import type { Rule } from '../rule.ts'

const deployment = (url: string) => `apiVersion: apps/v1
kind: Deployment
metadata: {name: centraldashboard, namespace: kubeflow}
spec:
  template:
    spec:
      containers:
      - name: centraldashboard
        image: ghcr.io/kubeflow/dashboard:v2
        env:
        - name: LOGOUT_URL
          value: ${url}
`
const endSession = encodeURIComponent('https://id.example.com/realms/team/protocol/openid-connect/logout')

/** A logout that ends the proxy's session only. */
export const logoutKeepsSession: Rule = {
  id: 'logout-keeps-session',
  severity: 'warning',
  title: 'a logout URL that does not end the session of the identity provider',
  why: 'Signing out removes oauth2-proxy’s cookie only. The next click signs the same person in again without a password: on a shared machine, somebody else.',
  remedy:
    'Send the sign-out on: `/oauth2/sign_out?rd=<end_session_endpoint, URL-encoded>`, or set `backend_logout_url` in oauth2-proxy. Gatehouse’s proxy does it by itself.',
  bad: { 'dashboard.yaml': deployment('/oauth2/sign_out') },
  good: { 'dashboard.yaml': deployment(`/oauth2/sign_out?rd=${endSession}`) },
  find: ({ variables, proxySetting }) => {
    if (proxySetting('backend_logout_url')?.value) return []
    return variables
      .filter(({ name, value }) => name === 'LOGOUT_URL' && endsProxyOnly(String(value)))
      .map((written) => ({
        place: placeOf(written),
        message: `\`${String(written.value)}\` leaves the session of the identity provider, so the next click signs in again`,
        fix: 'add `?rd=` with the `end_session_endpoint`, or set `backend_logout_url` in oauth2-proxy',
      }))
  },
}

function endsProxyOnly(url: string): boolean {
  const parsed = URL.parse(url, 'http://platform')
  if (!parsed) return false
  const { pathname, searchParams } = parsed
  if (!/\/(?:sign_out|logout)$/.test(pathname) || pathname.includes('/protocol/')) return false
  return !/logout|end_session|endsession/i.test(searchParams.get('rd') ?? '')
}
