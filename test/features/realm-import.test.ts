import { expect, test } from 'vitest'
import { silentLog } from '../../src/kit/log.ts'
import { namedSource, Problems } from '../../src/kit/problems.ts'
import { systemRandom } from '../../src/kit/random.ts'
import { parseWith } from '../../src/kit/schema.ts'
import { type RealmRepresentation, realmRepresentationSchema, unusedRealmKeys } from '../../src/realm/config.ts'
import { importRealm } from '../../src/realm/import/import-realm.ts'
import { realmMigrations } from '../../src/realm/migrations.ts'
import { loadRealmModel } from '../../src/realm/model.ts'
import { openRealm } from '../../src/realm/open-realm.ts'
import type { RealmTables } from '../../src/realm/tables.ts'
import { openRealmUsers } from '../../src/realm/users.ts'
import { openSqlRecords } from '../../src/store/records.ts'
import { testClock } from '../world/clock.ts'
import { testDatabase } from '../world/database.ts'
import { claimsOf, postToken, realmWorld, smallRealm, type Tokens } from './realm-world.ts'

const problemsOf = (realm: unknown) => {
  const problems = new Problems()
  parseWith(realmRepresentationSchema, realm, { source: namedSource('realm.json'), problems })
  return problems.list.map(({ path, message, fix }) => `${path}: ${message}${fix === undefined ? '' : `; ${fix}`}`)
}

test('every problem of a realm file is told at once, with its path', () => {
  const broken = {
    realm: 'a b',
    acessTokenLifespan: 5,
    ssoSessionIdleTimeout: 'long',
    clients: [{ clientId: 'x', secret: '**********', redirectUri: [] }],
    users: [{ username: 'ada', credentials: [{ type: 'password', value: '' }] }],
    groups: [{ name: 'g', subGroups: [{ nome: 'h' }] }],
  }
  expect(problemsOf(broken)).toEqual([
    'realm: must be a name without spaces and `/ ? # % \\`',
    'ssoSessionIdleTimeout: must be a number, got a text',
    'groups[0].subGroups[0].name: is missing',
    'groups[0].subGroups[0].nome: unknown key `nome`',
    'users[0].credentials[0].value: must not be empty',
    'clients[0].secret: the secret is masked (`**********`): write the real one',
    'clients[0].redirectUri: unknown key `redirectUri`; did you mean `redirectUris`?',
    'acessTokenLifespan: unknown key `acessTokenLifespan`; did you mean `accessTokenLifespan`?',
  ])
})

test('names that come twice and groups that are not there are problems', () => {
  const broken = {
    realm: 'r',
    groups: [{ name: 'team', subGroups: [{ name: 'a' }, { name: 'a' }] }],
    defaultGroups: ['/nowhere'],
    clients: [{ clientId: 'x' }, { clientId: 'x' }],
    users: [
      { username: 'ada', email: 'a@example.com', groups: ['/team/a', 'team'] },
      { username: 'ADA', email: 'A@example.com', groups: ['/team/b'] },
    ],
  }
  expect(problemsOf(broken)).toEqual([
    'groups[0].subGroups[1].name: the group `/team/a` is here twice',
    'clients[1].clientId: `x` is here twice',
    'users[1].username: `ADA` is here twice',
    'users[1].email: `A@example.com` is here twice',
    'defaultGroups[0]: there is no group at `/nowhere`',
    'users[1].groups[0]: there is no group at `/team/b`',
  ])
})

test('what Keycloak knows but this realm does not act on is kept and told by name', () => {
  const realm = realmRepresentationSchema.parse({
    realm: 'r',
    keycloakVersion: '26.7.1',
    sslRequired: 'external',
    smtpServer: { host: 'mail' },
    passwordPolicy: '',
    verifyEmail: false,
    components: {},
    groups: [{ name: 'g', path: '/g', description: 'the group' }],
    clients: [
      {
        clientId: 'x',
        consentRequired: true,
        clientAuthenticatorType: 'client-secret',
        nodeReRegistrationTimeout: -1,
        attributes: { 'frontchannel.logout.url': 'https://x.example', 'dpop.bound.access.tokens': 'false' },
        protocolMappers: [{ name: 'm', protocolMapper: 'script-mapper', config: {} }],
      },
      { clientId: 'y', clientAuthenticatorType: 'client-jwt' },
      { clientId: 'z', protocol: 'saml', frontchannelLogout: true },
    ],
    users: [{ username: 'u', totp: true, credentials: [{ type: 'otp', secretData: '{}', userLabel: 'phone' }] }],
  })
  expect(unusedRealmKeys(realm).map(({ name }) => name)).toEqual([
    'sslRequired',
    'smtpServer',
    'groups[0].description',
    'clients[0].consentRequired',
    'clients[0].attributes.frontchannel.logout.url',
    'clients[0].protocolMappers[0].protocolMapper',
    'clients[1].clientAuthenticatorType',
    'clients[2].protocol',
    'users[0].credentials[0].type',
    'users[0].credentials[0].userLabel',
  ])
  expect(realm.smtpServer).toEqual({ host: 'mail' })
})

test('a realm file cannot reach into objects', () => {
  const hostile = JSON.parse(
    '{"realm":"r","__proto__":{"enabled":false},"users":[{"username":"__proto__","attributes":{"__proto__":["x"]}}]}',
  )
  expect(problemsOf(hostile)).toEqual(['__proto__: unknown key `__proto__`'])
  expect(({} as { enabled?: boolean }).enabled).toBeUndefined()
})

async function opened(realm: object) {
  const database = await testDatabase<RealmTables>({ migrations: realmMigrations })
  const clock = testClock()
  const open = async (changed: object) => {
    const representation: RealmRepresentation = realmRepresentationSchema.parse(changed)
    return openRealm({
      config: { publicUrl: 'https://id.example.com', realms: [representation] },
      database,
      records: openSqlRecords(database, clock),
      clock,
      random: systemRandom,
      log: silentLog,
      fetch: async () => new Response(null, { status: 503 }),
      stateSecret: 's',
    })
  }
  await open(realm)
  const users = openRealmUsers({ database, clock, random: systemRandom })
  const dump = async () => {
    const tables = ['realms', 'realm_clients', 'realm_client_scopes', 'realm_roles', 'realm_role_composites'] as const
    const more = [
      'realm_groups',
      'realm_group_roles',
      'realm_users',
      'realm_credentials',
      'realm_user_groups',
      'realm_user_roles',
    ] as const
    const rows = [...tables, ...more].map((table) =>
      database
        .selectFrom(table as 'realms')
        .selectAll()
        .execute(),
    )
    return JSON.stringify(await Promise.all(rows))
  }
  return { database, open, users, dump }
}

test('opening a realm again changes nothing', async () => {
  const { open, dump } = await opened(smallRealm)
  const before = await dump()
  await open(smallRealm)
  expect(await dump()).toBe(before)
})

test('settings, clients, roles and groups follow the file; users are left as they are', async () => {
  const { database, open, users } = await opened(smallRealm)
  await users.create('kubeflow', {
    username: 'carol',
    email: 'carol@example.com',
    groups: ['/team', 'admins'],
    password: 'pw',
  })
  await users.setGroups('kubeflow', 'bob', ['/team/sub'])
  const before = await loadRealmModel(database, 'kubeflow')
  await open({
    ...smallRealm,
    accessTokenLifespan: 60,
    roles: { realm: [{ name: 'new-role' }] },
    groups: [{ name: 'team', attributes: { site: ['x'] } }, { name: 'fresh' }],
    users: [
      { username: 'ada', email: 'changed@example.com', credentials: [{ value: 'changed' }] },
      { username: 'dave' },
    ],
    clients: [{ ...smallRealm.clients[0], secret: 'changed', redirectUris: ['https://new.example.com/'] }],
  })
  const after = await loadRealmModel(database, 'kubeflow')
  expect(after?.settings.accessTokenLifespan).toBe(60)
  expect([...(after?.clients.keys() ?? [])].sort()).toEqual(['account', 'app'])
  expect(after?.clients.get('app')).toMatchObject({ id: before?.clients.get('app')?.id, secret: 'changed' })
  expect([...(after?.groups.values() ?? [])].map(({ path }) => path).sort()).toEqual(['/fresh', '/team'])
  expect([...(after?.roles.values() ?? [])].map(({ name }) => name)).toContain('new-role')
  expect([...(after?.roles.values() ?? [])].map(({ name }) => name)).not.toContain('pk-user')
  const summary = (await users.list('kubeflow')).map(({ username, email, groups }) => [username, email, groups])
  expect(summary).toEqual([
    ['ada', 'ada@example.com', []],
    ['bob', 'bob@example.com', []],
    ['carol', 'carol@example.com', ['/team']],
    ['dave', undefined, []],
  ])
})

test('one export makes two realms, though their ids are the same', async () => {
  const { database, open } = await opened({ ...smallRealm, id: 'same' })
  await open({ ...smallRealm, realm: 'second', groups: smallRealm.groups })
  const models = [await loadRealmModel(database, 'kubeflow'), await loadRealmModel(database, 'second')]
  expect(models.map((model) => model?.clients.get('app')?.clientId)).toEqual(['app', 'app'])
  expect(models[0]?.clients.get('app')?.id).not.toBe(models[1]?.clients.get('app')?.id)
})

test('a user of the file whose e-mail somebody else has by now is left out, and the realm opens', async () => {
  const { open, users } = await opened(smallRealm)
  await users.create('kubeflow', { username: 'carol', email: 'taken@example.com', password: 'pw' })
  await open({ ...smallRealm, users: [{ username: 'dave', email: 'taken@example.com' }, { username: 'erin' }] })
  expect((await users.list('kubeflow')).map(({ username }) => username)).toEqual(['ada', 'bob', 'carol', 'erin'])
})

test('plain passwords are stored as Argon2id with Keycloak’s parameters only', async () => {
  const { database } = await opened(smallRealm)
  const [row] = await database.selectFrom('realm_credentials').selectAll().execute()
  expect(JSON.parse(row?.json_parameters ?? '')).toEqual({
    hashIterations: 5,
    algorithm: 'argon2',
    additionalParameters: { hashLength: ['32'], memory: ['7168'], type: ['id'], version: ['1.3'], parallelism: ['1'] },
  })
  expect(JSON.stringify(await database.selectFrom('realm_credentials').selectAll().execute())).not.toContain(
    'correct horse',
  )
})

test('new users get the default groups and roles, and roles that are only mentioned exist', async () => {
  const realm = {
    ...smallRealm,
    defaultGroups: ['/team'],
    users: [
      { username: 'plain', credentials: [{ value: 'pw' }] },
      { username: 'special', realmRoles: ['mentioned'], credentials: [{ value: 'pw' }] },
    ],
  }
  const world = await realmWorld({ realm })
  const claims = async (username: string) => {
    const answer = await postToken(world, { grant_type: 'password', username, password: 'pw', scope: 'openid groups' })
    return claimsOf(((await answer.json()) as Tokens).access_token)
  }
  expect(await claims('plain')).toMatchObject({ groups: ['/team'], aud: 'account' })
  expect(await claims('special')).toMatchObject({ realm_access: { roles: ['mentioned'] } })
})

test('a realm’s own scopes and default scopes go before the built-in ones', async () => {
  const clientScopes = [
    {
      name: 'groups',
      protocolMappers: [
        {
          name: 'g',
          protocolMapper: 'oidc-group-membership-mapper',
          config: { 'claim.name': 'groups', 'full.path': 'false', 'access.token.claim': 'true' },
        },
      ],
    },
  ]
  const realm = {
    ...smallRealm,
    clientScopes,
    defaultDefaultClientScopes: ['basic', 'groups', 'nosuch'],
    defaultOptionalClientScopes: ['email'],
  }
  const world = await realmWorld({ realm })
  const answer = await postToken(world, { grant_type: 'password', username: 'ada', password: 'correct horse' })
  const { access_token, scope } = (await answer.json()) as Tokens
  expect(scope).toBe('groups')
  expect(claimsOf(access_token)).toMatchObject({ groups: ['admins', 'sub'] })
  expect(claimsOf(access_token)).not.toHaveProperty('email')
})

test('an import that fails half-way leaves the database as it was', async () => {
  const { database, dump } = await opened(smallRealm)
  const before = await dump()
  const broken = realmRepresentationSchema.parse({ ...smallRealm, displayName: 'changed' })
  const random = {
    bytes: () => {
      throw new Error('no randomness')
    },
  }
  const changed = {
    ...broken,
    clients: [...broken.clients, { ...broken.clients[0], clientId: 'new', id: undefined }],
  } as RealmRepresentation
  await expect(importRealm(changed, { database, random })).rejects.toThrow('no randomness')
  expect(await dump()).toBe(before)
})
