import { expect, test } from 'vitest'
import { proxyConfigSchema } from '../config.ts'
import { openSessionMemory, type RememberedSession } from './session-memory.ts'

const config = proxyConfigSchema.parse({
  ...{ client_id: 'kubeflow', client_secret: 'secret', oidc_issuer_url: 'http://127.0.0.1/dex' },
  ...{ cookie_secret: 'sixteen bytes !!', cookie_name: 'kf', email_domains: ['*'], skip_jwt_bearer_tokens: true },
})

function world() {
  const clock = { time: 1_700_000_000_000, now: () => clock.time }
  const ended = {
    ...{ end: async () => {}, isEnded: () => false, hasEnded: async () => false },
    ...{ onEnded: () => () => {}, watch: () => () => {} },
  }
  return { clock, memory: openSessionMemory({ config, ended, clock }) }
}

function entry(email: string, headers: readonly string[] = []): RememberedSession {
  const answer = { status: 200, headers, body: '' }
  const session = { createdAt: 1_700_000_000_000, email }
  return { session, names: { ids: [email], since: 0 }, answer, authAnswer: answer, until: Number.POSITIVE_INFINITY }
}

test('a credential is known by its whole text and by where it was sent', () => {
  const { memory } = world()
  const end = 'x'.repeat(64)
  memory.begin()('cookie', `ada-${end}`, entry('ada@example.com'))
  expect(memory.find({ cookie: `kf=ada-${end}` })?.session.email).toBe('ada@example.com')
  expect(memory.find({ cookie: `kf=bob-${end}` })).toBeUndefined()
  expect(memory.find({ authorization: `ada-${end}` })).toBeUndefined()
})

test('a flood of large sessions does not drive out those that are known, nor fill the memory', () => {
  const { clock, memory } = world()
  const text = (at: number) => `${at}-${'x'.repeat(8000)}${String(at).padStart(64, '0')}`
  const remembered = () => people.filter((at) => memory.find({ cookie: `kf=${text(at)}` })).length
  const people = Array.from({ length: 6000 }, (_, at) => at)
  for (const at of people) memory.begin()('cookie', text(at), entry(`${at}@example.com`))
  expect(memory.find({ cookie: `kf=${text(1000)}` })?.session.email).toBe('1000@example.com')
  expect(remembered() * 8000).toBeLessThan(40 * 1024 * 1024)
  clock.time += 60_000
  expect(remembered()).toBe(0)
  memory.begin()('cookie', text(5999), entry('5999@example.com'))
  expect(remembered()).toBe(1)
})
