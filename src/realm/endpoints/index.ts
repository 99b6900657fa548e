import { authenticate } from './authenticate.ts'
import { authorization } from './authorization.ts'
import { certs } from './certs.ts'
import { discovery } from './discovery.ts'
import type { Endpoint } from './endpoint.ts'
import { introspect } from './introspect.ts'
import { confirmLogout, logout } from './logout.ts'
import { realmFacts } from './realm-facts.ts'
import { requiredAction } from './required-action.ts'
import { revoke } from './revoke.ts'
import { token } from './token.ts'
import { userinfo } from './userinfo.ts'

const oidc = '/protocol/openid-connect'

/** Every endpoint of a realm; a new one is a file and a row. */
export const endpoints: readonly Endpoint[] = [
  { path: '', methods: { GET: realmFacts }, audience: 'program', cors: 'any' },
  {
    path: '/.well-known/openid-configuration',
    methods: { GET: discovery },
    audience: 'program',
    cors: 'any',
    wrongMethodStatus: 404,
  },
  { path: `${oidc}/certs`, methods: { GET: certs }, audience: 'program', cors: 'any' },
  { path: `${oidc}/auth`, methods: { GET: authorization, POST: authorization }, audience: 'person' },
  { path: '/login-actions/authenticate', methods: { GET: authenticate, POST: authenticate }, audience: 'person' },
  { path: '/login-actions/required-action', methods: { POST: requiredAction }, audience: 'person' },
  { path: `${oidc}/token`, methods: { POST: token }, audience: 'program', cors: 'client' },
  { path: `${oidc}/token/introspect`, methods: { POST: introspect }, audience: 'program' },
  { path: `${oidc}/userinfo`, methods: { GET: userinfo, POST: userinfo }, audience: 'program', cors: 'client' },
  { path: `${oidc}/revoke`, methods: { POST: revoke }, audience: 'program', cors: 'client' },
  { path: `${oidc}/logout`, methods: { GET: logout, POST: logout }, audience: 'person', cors: 'client' },
  { path: `${oidc}/logout/logout-confirm`, methods: { POST: confirmLogout }, audience: 'person' },
]
