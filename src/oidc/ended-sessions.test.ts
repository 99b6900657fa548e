import { expect, test } from 'vitest'
import { testClock } from '../../test/world/clock.ts'
import { testDatabase } from '../../test/world/database.ts'
import { silentLog } from '../kit/log.ts'
import { openSqlRecords, type Records } from '../store/records.ts'
import { namesOfToken, openEndedSessions, sessionName, subjectName } from './ended-sessions.ts'

const issuer = 'https://id.example.com'

async function world() {
  const clock = testClock()
  const records = openSqlRecords(await testDatabase(), clock)
  const open = (from: Records = records) => openEndedSessions({ records: from, clock, log: silentLog })
  const token = (claims: object = {}, text = 'a.b.c') =>
    namesOfToken({ iss: issuer, sub: 'ada', sid: 's1', iat: clock.now() / 1000, ...claims }, text)
  const end = (names: readonly string[]) => ({ names, upTo: clock.now() })
  return { clock, records, open, token, end, tomorrow: clock.now() + 86_400_000 }
}

test('a session that has ended takes every token of its sid with it, and no other', async () => {
  const { open, token, end, tomorrow } = await world()
  const ended = open()
  await ended.end(end([sessionName(issuer, 's1')]), tomorrow)
  expect(ended.isEnded(token())).toBe(true)
  expect(ended.isEnded(token({}, 'another.token.text'))).toBe(true)
  expect(ended.isEnded(token({ sid: 's2' }))).toBe(false)
  expect(ended.isEnded(token({ iss: 'https://other.example.com' }))).toBe(false)
})

test('a token without a session is ended by itself', async () => {
  const { open, token, end, tomorrow } = await world()
  const ended = open()
  await ended.end(end(token({ sid: undefined }).ids), tomorrow)
  expect(ended.isEnded(token({ sid: undefined }))).toBe(true)
  expect(ended.isEnded(token({ sid: undefined }, 'x.y.z'))).toBe(false)
})

test('a user’s sessions end up to a moment; one that begins later lives', async () => {
  const { clock, open, token, end, tomorrow } = await world()
  const ended = open()
  await ended.end(end([subjectName(issuer, 'ada')]), tomorrow)
  expect(ended.isEnded(token())).toBe(true)
  expect(ended.isEnded(token({ sub: 'kay' }))).toBe(false)
  clock.advance(1000)
  expect(ended.isEnded(token())).toBe(false)
})

test('a session its provider goes on with is not denied for ever by its old name', async () => {
  const { clock, open, token, end, tomorrow } = await world()
  const ended = open()
  const old = token()
  await ended.end(end([sessionName(issuer, 's1')]), tomorrow)
  clock.advance(1000)
  expect([ended.isEnded(old), ended.isEnded(token())]).toEqual([true, false])
})

test('what one replica ends every other knows, and one that starts later', async () => {
  const { open, token, end, tomorrow } = await world()
  const [here, there] = [open(), open()]
  await here.end(end([sessionName(issuer, 's1')]), tomorrow)
  expect(there.isEnded(token())).toBe(false)
  expect(await there.hasEnded(token())).toBe(true)
  expect(there.isEnded(token())).toBe(true)
  expect(await open().hasEnded(token())).toBe(true)
})

test('whoever listens is told of an end here and elsewhere', async () => {
  const { open, token, end, tomorrow } = await world()
  const [here, there] = [open(), open()]
  const heard: string[] = []
  here.onEnded(() => heard.push('here'))
  const stop = there.onEnded(() => heard.push('there'))
  await here.end(end([sessionName(issuer, 's1')]), tomorrow)
  expect(heard).toEqual(['here'])
  await there.hasEnded(token())
  expect(heard).toEqual(['here', 'there'])
  stop()
  await here.end(end([sessionName(issuer, 's2')]), tomorrow)
  await there.hasEnded(token())
  expect(heard).toEqual(['here', 'there', 'here'])
})

test('while the store is down an end still holds here, and nobody is believed anew', async () => {
  const { records, open, token, end, tomorrow } = await world()
  let isDown = true
  const failing: Records = {
    ...records,
    journal: <Entry>(name: string) => {
      const journal = records.journal<Entry>(name)
      const orFail = <Result>(act: () => Promise<Result>) => (isDown ? Promise.reject(new Error('down')) : act())
      return {
        append: (entry: Entry, until: number) => orFail(() => journal.append(entry, until)),
        readAfter: (position: number) => orFail(() => journal.readAfter(position)),
      }
    },
  }
  const ended = open(failing)
  await expect(ended.end(end([sessionName(issuer, 's1')]), tomorrow)).rejects.toThrow('down')
  expect(ended.isEnded(token())).toBe(true)
  await expect(ended.hasEnded(token({ sid: 's2' }))).rejects.toThrow('down')
  isDown = false
  expect(await ended.hasEnded(token({ sid: 's2' }))).toBe(false)
})

test('a replica that watches learns by itself', async () => {
  const { open, token, end, tomorrow } = await world()
  const [here, there] = [open(), open()]
  const stop = there.watch()
  await here.end(end([sessionName(issuer, 's1')]), tomorrow)
  await expect.poll(() => there.isEnded(token()), { timeout: 5000 }).toBe(true)
  stop()
})

test('an outage of the store is told once by who watches', async () => {
  const { clock, records } = await world()
  let reads = 0
  const lines: string[] = []
  const warn = (message: string) => void lines.push(message)
  const tellers: (() => void)[] = []
  const failing: Records = {
    ...records,
    journal: (name) => ({
      ...records.journal(name),
      onAppend: (listener) => void tellers.push(listener),
      async readAfter() {
        reads += 1
        throw new Error('down')
      },
    }),
  }
  const stop = openEndedSessions({ records: failing, clock, log: { ...silentLog, warn } }).watch()
  for (const round of [1, 2, 3]) {
    for (const tell of tellers) tell()
    await expect.poll(() => reads).toBeGreaterThanOrEqual(round)
  }
  stop()
  expect(lines).toEqual(['ended sessions could not be read'])
})
