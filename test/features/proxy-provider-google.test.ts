import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { parseJwt } from '../../src/tokens/jwt.ts'
import { providerWorld } from '../suites/provider-suite.ts'
import type { Route } from '../world/cloud.ts'

const directory = 'https://admin.googleapis.com/admin/directory/v1'
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const keyFile = join(mkdtempSync(join(tmpdir(), 'google-')), 'account.json')
writeFileSync(
  keyFile,
  JSON.stringify({
    client_email: 'proxy@project.iam.gserviceaccount.com',
    private_key: privateKey.export({ format: 'pem', type: 'pkcs8' }),
    private_key_id: 'key-1',
    token_uri: 'https://oauth2.googleapis.com/token',
  }),
)

afterEach(() => vi.unstubAllEnvs())

const assertions: Record<string, unknown>[] = []

/** Google's token endpoint for service accounts: it grants the scopes it is told to. */
function accountTokens(granted: string): Route {
  return async (request) => {
    const form = new URLSearchParams(await request.text())
    const jwt = parseJwt(form.get('assertion') ?? '')
    if ('malformed' in jwt) return Response.json({ error: 'invalid_grant' }, { status: 400 })
    assertions.push({ ...jwt.claims, kid: jwt.header.kid })
    if (
      !String(jwt.claims['scope'])
        .split(' ')
        .some((scope) => scope.endsWith(granted))
    ) {
      return Response.json({ error: 'unauthorized_client' }, { status: 401 })
    }
    return Response.json({ access_token: 'admin-token' })
  }
}

const forAdmin =
  (answer: (url: URL) => Response): Route =>
  ({ headers }, url) =>
    headers.get('authorization') === 'Bearer admin-token' ? answer(url) : new Response('', { status: 401 })

function googleWorld(googleConfig: Record<string, unknown>, routes: Record<string, Route>) {
  return providerWorld({
    kind: 'google',
    tokenUrl: 'https://www.googleapis.com/oauth2/v3/token',
    jwksUrl: 'https://www.googleapis.com/oauth2/v3/certs',
    idClaims: {
      ...{ iss: 'https://accounts.google.com', aud: 'our-id', sub: 'ada-1' },
      ...{ email: 'ada@corp.example', email_verified: true },
    },
    options: { googleConfig: { adminEmail: 'admin@corp.example', ...googleConfig } },
    tokens: { refresh_token: 'good-refresh' },
    routes: {
      'POST https://oauth2.googleapis.com/token': accountTokens('admin.directory.group.readonly'),
      'GET https://www.googleapis.com/oauth2/v1/tokeninfo': () => Response.json({}),
      ...routes,
    },
  })
}

const memberships: Route = forAdmin(({ pathname }) => {
  if (pathname.endsWith('/groups/ml%40corp.example/hasMember/ada%40corp.example'))
    return Response.json({ isMember: true })
  if (pathname.endsWith('/groups/ops%40corp.example/hasMember/ada%40corp.example'))
    return Response.json({ isMember: false })
  if (pathname.endsWith('/groups/guests%40corp.example/hasMember/ada%40corp.example'))
    return new Response('{}', { status: 400 })
  if (pathname.endsWith('/groups/guests%40corp.example/members/ada%40corp.example'))
    return Response.json({ status: 'ACTIVE' })
  return new Response('{}', { status: 404 })
})

test('Google: someone has those of the configured groups they are a member of, of other domains, too', async () => {
  assertions.length = 0
  const group = ['ml@corp.example', 'ops@corp.example', 'guests@corp.example', 'gone@corp.example']
  const { signIn } = googleWorld({ serviceAccountJson: keyFile, group }, { [`GET ${directory}/groups/*`]: memberships })
  expect((await signIn()).groups).toEqual(['ml@corp.example', 'guests@corp.example'])
  // The least scope is asked for first; the administrator is impersonated.
  expect(assertions.map(({ scope }) => String(scope).replace(/.*\//, ''))).toEqual([
    'admin.directory.group.member.readonly',
    'admin.directory.group.readonly',
  ])
  expect(assertions[0]).toMatchObject({
    ...{ iss: 'proxy@project.iam.gserviceaccount.com', sub: 'admin@corp.example', kid: 'key-1' },
    aud: 'https://oauth2.googleapis.com/token',
  })
})

test('Google: where no group is configured, all of them are told, page after page', async () => {
  const groups = forAdmin(({ searchParams }) =>
    searchParams.get('pageToken') === 'two'
      ? Response.json({ groups: [{ email: 'b@corp.example' }] })
      : Response.json({ groups: [{ email: 'a@corp.example' }], nextPageToken: 'two' }),
  )
  const { signIn } = googleWorld({ serviceAccountJson: keyFile }, { [`GET ${directory}/groups`]: groups })
  expect((await signIn()).groups).toEqual(['a@corp.example', 'b@corp.example'])
})

test('Google: the organization’s id becomes the preferred user name', async () => {
  const user = forAdmin(() =>
    Response.json({
      externalIds: [
        { type: 'network', value: 'x' },
        { type: 'organization', value: 'e-4711' },
      ],
    }),
  )
  const { signIn } = googleWorld(
    { serviceAccountJson: keyFile, useOrganizationID: true },
    { [`GET ${directory}/users/*`]: user, [`GET ${directory}/groups`]: () => Response.json({}) },
  )
  expect((await signIn()).preferredUsername).toBe('e-4711')
})

test('Google: an account whose address is not verified is refused', async () => {
  const world = providerWorld({
    kind: 'google',
    tokenUrl: 'https://www.googleapis.com/oauth2/v3/token',
    jwksUrl: 'https://www.googleapis.com/oauth2/v3/certs',
    idClaims: { iss: 'https://accounts.google.com', aud: 'our-id', sub: 'ada-1', email: 'ada@corp.example' },
  })
  await expect(world.signIn()).rejects.toMatchObject({ code: 'email_not_verified' })
})

test('Google: on its own machines the metadata server and the IAM API stand in for a key file', async () => {
  const metadata = 'http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default'
  const signed: string[] = []
  vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', '')
  const { signIn } = googleWorld(
    { useApplicationDefaultCredentials: true, group: ['ml@corp.example'] },
    {
      [`GET ${metadata}/token`]: ({ headers }) =>
        headers.get('metadata-flavor') === 'Google'
          ? Response.json({ access_token: 'machine' })
          : new Response('', { status: 403 }),
      [`GET ${metadata}/`]: () => Response.json({ email: 'machine@project.iam.gserviceaccount.com' }),
      'POST https://iamcredentials.googleapis.com/*': async (request, { pathname }) => {
        signed.push(decodeURIComponent(pathname))
        const { payload } = (await request.json()) as { payload: string }
        const encode = (text: string) => Buffer.from(text).toString('base64url')
        const signedJwt = `${encode('{"alg":"RS256"}')}.${encode(payload)}.${encode('signature')}`
        return request.headers.get('authorization') === 'Bearer machine'
          ? Response.json({ signedJwt })
          : new Response('', { status: 401 })
      },
      [`GET ${directory}/groups/*`]: memberships,
    },
  )
  expect((await signIn()).groups).toEqual(['ml@corp.example'])
  expect(signed[0]).toBe('/v1/projects/-/serviceAccounts/machine@project.iam.gserviceaccount.com:signJwt')
})
