import { expect, test } from 'vitest'
import { providerWorld } from '../suites/provider-suite.ts'
import { forBearer, type Route } from '../world/cloud.ts'

const api = 'https://api.github.com'

function githubWorld(githubConfig: Record<string, unknown>, routes: Record<string, Route> = {}) {
  return providerWorld({
    kind: 'github',
    tokenUrl: 'https://github.com/login/oauth/access_token',
    options: { githubConfig },
    tokens: { refresh_token: 'good-refresh' },
    routes: {
      [`GET ${api}/`]: forBearer({}, 'token'),
      [`GET ${api}/user`]: forBearer({ login: 'ada' }, 'token'),
      [`GET ${api}/user/emails`]: forBearer([{ email: 'ada@example.com', primary: true, verified: true }], 'token'),
      [`GET ${api}/user/orgs`]: (_, url) => page(url, [{ login: 'corp' }]),
      [`GET ${api}/user/teams`]: (_, url) => page(url, [{ slug: 'ml-team', organization: { login: 'corp' } }]),
      ...routes,
    },
  })
}

function page(url: URL, values: readonly unknown[]): Response {
  return Response.json(url.searchParams.get('page') === '1' ? values : [])
}

const admitted: readonly Record<string, unknown>[] = [
  { org: 'corp' },
  { org: 'corp', team: 'other, ML-Team' },
  { team: 'lab:x,corp:ml-team' },
  { org: 'nowhere', users: ['ada'] },
]

test.each(admitted)('GitHub: %o lets ada in', async (config) => {
  expect(await githubWorld(config).signIn()).toMatchObject({ user: 'ada', groups: ['corp', 'corp:ml-team'] })
})

const refused: readonly Record<string, unknown>[] = [
  { org: 'lab' },
  { org: 'Corp' },
  { org: 'corp', team: 'ops' },
  { team: 'lab:ml-team' },
  { users: ['eve'] },
  { repo: 'corp/models' },
]

test.each(refused)('GitHub: %o keeps ada out', async (config) => {
  await expect(githubWorld(config).signIn()).rejects.toMatchObject({ code: 'not_admitted' })
})

test('GitHub: who may push to the repository may enter, who may only read it where it is private', async () => {
  const withRepository = (repository: unknown) =>
    githubWorld({ repo: 'corp/models' }, { [`GET ${api}/repos/corp/models`]: forBearer(repository, 'token') }).signIn()
  expect(await withRepository({ permissions: { push: true } })).toMatchObject({ user: 'ada' })
  expect(await withRepository({ private: true, permissions: { pull: true } })).toMatchObject({ user: 'ada' })
  await expect(withRepository({ permissions: { pull: true } })).rejects.toMatchObject({ code: 'not_admitted' })
})

test('GitHub: with a token of its own the proxy asks whether someone is a collaborator', async () => {
  const collaborators: Route = ({ headers }, { pathname }) =>
    new Response(null, {
      status: headers.get('authorization') === 'token owner' && pathname.endsWith('/ada') ? 204 : 404,
    })
  const config = { repo: 'corp/models', token: 'owner' }
  const routes = { [`GET ${api}/repos/corp/models/collaborators/*`]: collaborators }
  expect(await githubWorld(config, routes).signIn()).toMatchObject({ user: 'ada' })
  const eve = { ...routes, [`GET ${api}/user`]: forBearer({ login: 'eve' }, 'token') }
  await expect(githubWorld(config, eve).signIn()).rejects.toMatchObject({ code: 'not_admitted' })
})

test('GitHub: an address that is not verified is none', async () => {
  const emails = [{ email: 'ada@example.com', primary: true, verified: false }]
  const world = githubWorld({}, { [`GET ${api}/user/emails`]: forBearer(emails, 'token') })
  expect((await world.signIn()).email).toBeUndefined()
})

test('GitHub: who has left the organization loses the session at the next refresh', async () => {
  const { signIn, provider, cloud } = githubWorld({ org: 'corp' })
  const session = await signIn()
  cloud.routes[`GET ${api}/user/orgs`] = () => Response.json([])
  cloud.routes[`GET ${api}/user/teams`] = () => Response.json([])
  await expect(provider.refresh(session)).rejects.toMatchObject({ code: 'grant_refused' })
})

test('GitHub: a session without a refresh token is renewed as long as its access token counts', async () => {
  const { signIn, provider, cloud, clock } = githubWorld({})
  const { refreshToken: _none, ...session } = await signIn()
  clock.time += 3_600_000
  expect(await provider.refresh(session)).toMatchObject({ user: 'ada', accessToken: 'access-1', createdAt: clock.time })
  cloud.routes[`GET ${api}/`] = () => Response.json({}, { status: 401 })
  await expect(provider.refresh(session)).rejects.toMatchObject({ code: 'grant_refused' })
})

test('GitHub Enterprise: of `validate_url` only `/api/v3` counts', async () => {
  const enterprise = 'https://git.corp.example'
  const { signIn, cloud } = providerWorld({
    kind: 'github',
    tokenUrl: `${enterprise}/login/oauth/access_token`,
    options: {
      loginURL: `${enterprise}/login/oauth/authorize`,
      redeemURL: `${enterprise}/login/oauth/access_token`,
      validateURL: `${enterprise}/api/v3/user/emails`,
    },
    routes: {
      [`GET ${enterprise}/api/v3/user`]: forBearer({ login: 'ada' }, 'token'),
      [`GET ${enterprise}/api/v3/user/*`]: () => Response.json([]),
    },
  })
  expect(await signIn()).toMatchObject({ user: 'ada', groups: [] })
  expect(cloud.requests.filter((one) => !one.includes(enterprise))).toEqual([])
})

test('GitHub: a page of another host is not asked with the user’s token', async () => {
  const link = { link: '<https://evil.example/user/orgs?page=2>; rel="next"' }
  const { signIn, cloud } = githubWorld(
    {},
    {
      [`GET ${api}/user/orgs`]: () => Response.json([{ login: 'corp' }], { headers: link }),
    },
  )
  await signIn()
  expect(cloud.requests.join()).not.toContain('evil.example')
})
