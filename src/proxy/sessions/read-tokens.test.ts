import { expect, test } from 'vitest'
import { alphaOf } from '../alpha/alpha-of-config.ts'
import { proxyConfigSchema } from '../config.ts'
import { compileReadTokens } from './read-tokens.ts'

const needed = {
  ...{ client_id: 'kubeflow', client_secret: 'secret', oidc_issuer_url: 'http://127.0.0.1/dex' },
  ...{ cookie_secret: 'sixteen bytes !!', email_domains: ['*'] },
}
const session = {
  createdAt: 1_700_000_000_000,
  accessToken: 'access',
  idToken: 'id',
  refreshToken: 'refresh',
  nonce: new Uint8Array(32),
  email: 'ada@example.com',
  groups: ['ml'],
}
const rest = { createdAt: session.createdAt, email: session.email, groups: session.groups }

function kept(more: Readonly<Record<string, unknown>>) {
  const config = proxyConfigSchema.parse({ ...needed, ...more })
  return compileReadTokens(alphaOf(config), config)(session)
}

test('a remembered session keeps the tokens headers tell of, and no other', () => {
  const quiet = { pass_basic_auth: false, pass_user_headers: false }
  expect(kept(quiet)).toEqual(rest)
  expect(kept({ ...quiet, set_authorization_header: true })).toEqual({ ...rest, idToken: 'id' })
  expect(kept({ ...quiet, pass_access_token: true })).toEqual({ ...rest, accessToken: 'access' })
})
