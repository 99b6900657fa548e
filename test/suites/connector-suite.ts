import { expect, test } from 'vitest'
import type { Connector, LoginAttempt, Outcome } from '../../src/broker/connectors/connector.ts'

/** Two people a connector under test knows, and how to be one of them. */
export interface ConnectorUnderTest {
  readonly connector: Connector
  /** Signs the first person in; `attempt` is of the suite's making. */
  signIn(attempt: LoginAttempt): Promise<Outcome>
  /** Makes the first person unknown, or unwanted, upstream; absent where nobody can be. */
  removePerson?(): void
  close?(): Promise<void>
}

/** An attempt as the broker makes them. */
export function loginAttempt(state = 'a-state'): LoginAttempt {
  return {
    state,
    scopes: { offlineAccess: true, isOwnSession: false, groups: true },
    secretFor: (use) => Buffer.from(`${use} of ${state}`.padEnd(32, '.')).toString('base64url'),
  }
}

/** What every connector must do; a connector's test is a call of this with a way to open it. */
export function testConnector(name: string, open: () => Promise<ConnectorUnderTest>): void {
  const withConnector = async (use: (under: ConnectorUnderTest) => Promise<void>) => {
    const under = await open()
    try {
      await use(under)
    } finally {
      await under.close?.()
    }
  }

  test(`${name}: asks by a redirect or by a password, not both`, () =>
    withConnector(async ({ connector }) => {
      expect([connector.callback, connector.password].filter(Boolean)).toHaveLength(1)
    }))

  test(`${name}: tells who someone is, with a stable id and groups without a leading slash`, () =>
    withConnector(async ({ signIn }) => {
      const [first, second] = [await signIn(loginAttempt('one')), await signIn(loginAttempt('two'))]
      if (first.kind !== 'authenticated' || second.kind !== 'authenticated') throw new Error('could not sign in')
      const { identity } = first
      expect(identity.userId).not.toBe('')
      expect(identity).toEqual(second.identity)
      for (const text of [identity.username, identity.preferredUsername, identity.email])
        expect(text).toBeTypeOf('string')
      expect(identity.emailVerified).toBeTypeOf('boolean')
      expect(identity.groups.filter((group) => group === '' || group.startsWith('/'))).toEqual([])
    }))

  test(`${name}: sends the browser away with the attempt's state`, () =>
    withConnector(async ({ connector }) => {
      if (!connector.callback) return expect(connector.password?.prompt).not.toBe('')
      const url = new URL(await connector.callback.loginUrl(loginAttempt('the-state')))
      expect(url.searchParams.get('state')).toBe('the-state')
    }))

  test(`${name}: a wrong password, or a made-up callback, is not a sign-in`, () =>
    withConnector(async ({ connector }) => {
      if (connector.password) {
        for (const username of ['nobody', '', '*', 'a\u0000b', 'é'.repeat(500)]) {
          expect(await connector.password.login(username, 'wrong')).toEqual({ kind: 'wrong-password' })
        }
      }
      const callback = connector.callback
      if (!callback || name.startsWith('mock')) return // the mock signs everybody in: that is what it is for
      const madeUp = new URLSearchParams({ state: 'a-state', code: 'made-up' })
      await expect(callback.handleCallback(loginAttempt(), madeUp)).rejects.toMatchObject({ name: 'ConnectorError' })
    }))

  test(`${name}: a refresh tells the same person, and nobody once they are gone`, () =>
    withConnector(async ({ connector, signIn, removePerson }) => {
      const outcome = await signIn(loginAttempt())
      if (outcome.kind !== 'authenticated') throw new Error('could not sign in')
      const { identity, connectorData } = outcome
      const refreshed = await connector.refresh?.refresh({ identity, connectorData })
      expect(refreshed).toMatchObject({ kind: 'authenticated', identity: { userId: identity.userId } })
      if (!removePerson) return
      removePerson()
      const data = refreshed?.kind === 'authenticated' ? refreshed.connectorData : connectorData
      expect(await connector.refresh?.refresh({ identity, connectorData: data })).toMatchObject({ kind: 'refused' })
    }))
}
