import { expect, test } from 'vitest'
import { brokerConfigSchema } from '../../src/broker/config.ts'
import { openConnectors } from '../../src/broker/connectors/index.ts'
import type { Fetch } from '../../src/http/part.ts'
import { systemClock } from '../../src/kit/clock.ts'
import { silentLog } from '../../src/kit/log.ts'
import { openSqlRecords } from '../../src/store/records.ts'
import { openUpstream, openUpstreamBrowser, upstreamClient } from '../features/broker-upstream.ts'
import { issuer, user } from '../features/broker-world.ts'
import { testDatabase } from '../world/database.ts'
import { type ConnectorUnderTest, testConnector } from './connector-suite.ts'

const noNetwork: Fetch = async () => {
  throw new TypeError('this connector has no network')
}

const database = await testDatabase()

/** Opens the first connector of a configuration. */
function open(config: Record<string, unknown>, fetch: Fetch = noNetwork) {
  const [connector] = openConnectors(brokerConfigSchema.parse({ issuer, ...config }), {
    callbackUrl: `${issuer}/callback`,
    fetch,
    usedLogoutTokens: openSqlRecords(database, systemClock).collection<true>('used'),
    clock: systemClock,
    log: silentLog,
  })
  if (!connector) throw new Error('no connector was configured')
  return connector
}

const entry = (type: string, config: Record<string, unknown>) => ({
  connectors: [{ type, id: type, name: type, config }],
})

testConnector('local', async () => {
  const passwords = [user, { ...user, email: 'other@example.com', userID: '2' }]
  const connector = open({ enablePasswordDB: true, staticPasswords: passwords })
  return { connector, signIn: async () => (await connector.password?.login(user.email, 'password')) ?? fail() }
})

test('local: someone taken out of the configuration is refused at the next refresh', async () => {
  const connector = open({ enablePasswordDB: true, staticPasswords: [{ ...user, userID: 'another' }] })
  const identity = {
    userId: user.userID,
    username: '',
    preferredUsername: '',
    email: user.email,
    emailVerified: true,
    groups: [],
  }
  const outcome = await connector.refresh?.refresh({ identity, connectorData: user.email })
  expect(outcome).toMatchObject({ kind: 'refused', reason: 'disabled' })
})

testConnector('mockPassword', async () => {
  const connector = open(entry('mockPassword', { username: 'kilgore', password: 'trout' }))
  return { connector, signIn: async () => (await connector.password?.login('kilgore', 'trout')) ?? fail() }
})

testConnector('mockCallback', async () => {
  const connector = open(entry('mockCallback', {}))
  const signIn: ConnectorUnderTest['signIn'] = async (attempt) =>
    (await connector.callback?.handleCallback(attempt, new URLSearchParams({ state: attempt.state }))) ?? fail()
  return { connector, signIn }
})

testConnector('oidc', async () => {
  const upstream = await openUpstream(issuer)
  upstream.users.set('ada', { email: 'ada@example.com', name: 'Ada', preferred_username: 'ada', groups: ['/a/b', 'c'] })
  const connector = open(
    entry('oidc', {
      issuer: upstream.issuer,
      clientID: upstreamClient.id,
      clientSecret: upstreamClient.secret,
      scopes: ['email', 'profile', 'groups'],
      insecureEnableGroups: true,
    }),
    upstream.fetch,
  )
  return {
    connector,
    async signIn(attempt) {
      const away = (await connector.callback?.loginUrl(attempt)) ?? fail()
      const back = new URL(await openUpstreamBrowser(upstream, { login: 'ada' }).visit(away))
      return (await connector.callback?.handleCallback(attempt, back.searchParams)) ?? fail()
    },
    removePerson: () => upstream.users.delete('ada'),
    close: () => upstream.close(),
  }
})

test('oidc: the identity provider is told to come back to the host it knows', async () => {
  const upstream = await openUpstream(issuer)
  const config = {
    issuer: upstream.issuer,
    clientID: 'dex',
    redirectURI: 'https://kubeflow.example.com/dex/callback',
  }
  const connector = open(entry('oidc', config), upstream.fetch)
  const url = new URL((await connector.logout?.logoutUrl({ idTokenHint: 'hint', state: 's' })) ?? fail())
  await upstream.close()
  expect(Object.fromEntries(url.searchParams)).toEqual({
    client_id: 'dex',
    id_token_hint: 'hint',
    post_logout_redirect_uri: 'https://kubeflow.example.com/dex/logout/callback',
    state: 's',
  })
})

function fail(): never {
  throw new Error('the connector lacks what this test needs')
}
