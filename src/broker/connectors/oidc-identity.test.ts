import { expect, test } from 'vitest'
import { oidcConnectorConfigSchema } from './oidc-config.ts'
import { openClaimsReader } from './oidc-identity.ts'

const claims = {
  sub: 'f:1:ada',
  name: 'Ada Lovelace',
  preferred_username: 'ada',
  email: 'ada@example.com',
  email_verified: true,
  groups: ['/platform/admins', 'analysts'],
}

function read(config: Record<string, unknown>, changed: Record<string, unknown> = {}) {
  const parsed = oidcConnectorConfigSchema.parse({ issuer: 'https://id.example.com', clientID: 'dex', ...config })
  return openClaimsReader(parsed)({ ...claims, ...changed })
}

const identity = {
  userId: 'f:1:ada',
  username: 'Ada Lovelace',
  preferredUsername: 'ada',
  email: 'ada@example.com',
  emailVerified: true,
  groups: [],
}
const groups = (config: Record<string, unknown>, changed?: Record<string, unknown>) => {
  const outcome = read({ insecureEnableGroups: true, ...config }, changed)
  return outcome.kind === 'identity' ? outcome.identity.groups : outcome
}

test('the standard claims make the identity; groups only where they are switched on', () => {
  expect(read({})).toEqual({ kind: 'identity', identity })
  expect(groups({})).toEqual(['platform/admins', 'analysts'])
})

test.each([
  [{ sub: undefined }, 'missing "sub" claim'],
  [{ name: undefined, preferred_username: undefined, email: undefined }, 'missing "name" claim'],
  [{ email: undefined }, 'missing email claim, not found "email" key'],
  [{ email_verified: undefined }, 'missing "email_verified" claim'],
  [{ email_verified: 'true' }, 'missing "email_verified" claim'],
])('claims %j are refused in Dex’s words', (changed, detail) => {
  expect(read({}, changed)).toEqual({ kind: 'unusable', detail })
})

test('e-mail is required only where its scope was asked for', () => {
  const outcome = read({ scopes: ['profile'] }, { email: undefined, email_verified: undefined })
  expect(outcome).toEqual({ kind: 'identity', identity: { ...identity, email: '', emailVerified: false } })
})

test('insecureSkipEmailVerified helps where the claim is absent, not where it is false', () => {
  const verified = (email_verified: unknown) => read({ insecureSkipEmailVerified: true }, { email_verified })
  expect(verified(undefined)).toMatchObject({ identity: { emailVerified: true } })
  expect(verified(false)).toMatchObject({ identity: { emailVerified: false } })
})

test('a user nobody has given a name goes by the user name, then the e-mail, unless the configuration names a claim', () => {
  expect(read({}, { name: undefined })).toMatchObject({ identity: { username: 'ada' } })
  expect(read({}, { name: undefined, preferred_username: undefined })).toMatchObject({
    identity: { username: 'ada@example.com' },
  })
  expect(read({ userNameKey: 'nickname' })).toEqual({ kind: 'unusable', detail: 'missing "nickname" claim' })
})

test('user name and user id may come from other claims', () => {
  expect(read({ userNameKey: 'email', userIDKey: 'preferred_username' })).toMatchObject({
    identity: { username: 'ada@example.com', userId: 'ada' },
  })
  expect(read({ userIDKey: 'upn' })).toEqual({ kind: 'unusable', detail: 'not found upn claim' })
})

test('a claim mapping is a fallback, and comes first when it overrides', () => {
  const claimMapping = { email: 'mail', preferred_username: 'nick', groups: 'roles' }
  const mapped = { mail: 'x@example.com', nick: 'x', roles: ['r'] }
  expect(read({ claimMapping }, mapped)).toMatchObject({
    identity: { email: 'ada@example.com', preferredUsername: 'ada' },
  })
  expect(read({ claimMapping }, { ...mapped, email: undefined, preferred_username: undefined })).toMatchObject({
    identity: { email: 'x@example.com', preferredUsername: 'x' },
  })
  expect(read({ claimMapping, overrideClaimMapping: true }, mapped)).toMatchObject({
    identity: { email: 'x@example.com' },
  })
  expect(groups({ claimMapping }, mapped)).toEqual(['platform/admins', 'analysts'])
  expect(groups({ claimMapping }, { ...mapped, groups: undefined })).toEqual(['r'])
  expect(groups({ claimMapping, overrideClaimMapping: true }, mapped)).toEqual(['r'])
})

test.each([
  ['one text', '/one', ['one']],
  ['objects with names', [{ name: '/a' }, { name: 'b', id: 7 }], ['a', 'b']],
  ['nothing', undefined, []],
  ['an empty list', [], []],
  ['only a slash', ['/'], []],
  ['the same group twice', ['/a', 'a'], ['a']],
])('groups given as %s are understood', (_what, given, expected) => {
  expect(groups({}, { groups: given })).toEqual(expected)
})

test('groups that are neither texts nor named objects are refused', () => {
  expect(groups({}, { groups: [7] })).toEqual({ kind: 'unusable', detail: 'malformed "groups" claim' })
})

test('allowed groups narrow the list and refuse who is in none, written with or without the slash', () => {
  expect(groups({ allowedGroups: ['/platform/admins', 'operators'] })).toEqual(['platform/admins'])
  expect(groups({ allowedGroups: ['platform/admins'] })).toEqual(['platform/admins'])
  expect(groups({ allowedGroups: ['operators'] })).toEqual({ kind: 'not-in-groups' })
  expect(groups({ allowedGroups: ['operators'] }, { groups: undefined })).toEqual({ kind: 'not-in-groups' })
})

test('groups are filtered, then renamed, then joined by ones made from claims', () => {
  const claimModifications = {
    filterGroupClaims: { groupsFilter: '^/platform' },
    modifyGroupNames: { prefix: 'kc:', suffix: '@corp' },
    newGroupFromClaims: [{ claims: ['org', 'unit', 'missing'], delimiter: '-', clearDelimiter: true, prefix: 'made' }],
  }
  const changed = { org: 'a-b', unit: 'c' }
  expect(groups({ claimModifications }, changed)).toEqual(['kc:platform/admins@corp', 'made-ab-c'])
  expect(groups({ insecureEnableGroups: false, claimModifications }, changed)).toEqual(['made-ab-c'])
  expect(groups({ claimModifications }, {})).toEqual(['kc:platform/admins@corp'])
})

test('a hostile group filter takes linear time', () => {
  const claimModifications = { filterGroupClaims: { groupsFilter: '^(a+)+$' } }
  expect(groups({ claimModifications }, { groups: [`${'a'.repeat(100_000)}!`] })).toEqual([])
})
