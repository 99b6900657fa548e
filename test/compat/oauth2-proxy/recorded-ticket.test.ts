import { expect, test } from 'vitest'
import { silentLog } from '../../../src/kit/log.ts'
import { proxyConfigSchema } from '../../../src/proxy/config.ts'
import { cookieKey } from '../../../src/proxy/sessions/cookie-secret.ts'
import { openTicketStore, type Vault } from '../../../src/proxy/sessions/ticket-store.ts'
import { openRecordLeases } from '../../../src/store/leases.ts'
import { openSqlRecords } from '../../../src/store/records.ts'
import { parseJwt } from '../../../src/tokens/jwt.ts'
import { ada, kubeflow } from '../../features/proxy-world.ts'
import { testDatabase } from '../../world/database.ts'
import { seededRandom } from '../../world/random.ts'
import recording from './recorded-ticket.json' with { type: 'json' }

/** A store over what the original had in Redis. */
async function recordedStore(secondsLater: number, asked: string[] = []) {
  const { cookieName, cookieSecret: secret } = recording
  const clock = { now: () => Date.parse(recording.recordedAt) + secondsLater * 1000 }
  const settings = { cookie_name: cookieName, cookie_secret: secret, cookie_expire: '1h' }
  const config = proxyConfigSchema.parse({ ...kubeflow, ...settings })
  const records = openSqlRecords(await testDatabase(), clock)
  const random = seededRandom()
  const vault: Vault = {
    async find(id) {
      asked.push(id)
      return id === recording.key ? Buffer.from(recording.value, 'base64') : undefined
    },
    async create() {},
    async replace() {},
    async delete() {},
  }
  const keys = { secret, key: cookieKey(secret) ?? Buffer.alloc(0) }
  const leases = openRecordLeases(records, { name: 'leases', clock, random })
  return openTicketStore({ config, keys, records, clock, random, log: silentLog }, { vault, leases, isShared: true })
}

test(`a ticket of ${recording.program} leads to its key in Redis and to the session there`, async () => {
  const asked: string[] = []
  const kept = await (await recordedStore(10, asked)).find(recording.cookie)
  expect(asked).toEqual([recording.key])
  expect(kept?.session).toMatchObject({ email: ada.email, user: ada.sub, groups: ada.groups })
  expect(kept?.session.refreshToken).toMatch(/^refresh-\d+$/)
  expect(parseJwt(kept?.session.idToken ?? '')).toMatchObject({ claims: { sub: ada.sub } })
})

test('it ends with its cookie', async () => {
  expect(await (await recordedStore(3590)).find(recording.cookie)).toBeDefined()
  expect(await (await recordedStore(3610)).find(recording.cookie)).toBeUndefined()
})

test('the original keeps the key as long as the cookie', () => {
  expect(recording.secondsToLive).toBe(3600)
})
