import { expect, test } from 'vitest'
import { openUserinfo } from './userinfo.ts'

/** A provider that answers when it is told to. */
function slowProvider() {
  const asked: string[] = []
  const waiting: (() => void)[] = []
  const userinfo = openUserinfo({
    provider: { userinfoUrl: async () => 'https://id.example.com/userinfo' },
    fetch: async (_, init) => {
      asked.push(new Headers(init?.headers).get('authorization') ?? '')
      await new Promise<void>((resolve) => waiting.push(resolve))
      return Response.json({ sub: 'ada' })
    },
    clock: { now: () => 0 },
  })
  const answer = () => {
    for (const go of waiting.splice(0)) go()
  }
  return { userinfo, asked, answer }
}

const settled = () => new Promise((resolve) => setImmediate(resolve))

test('a token is shown to the provider once, however many ask about it at the same time', async () => {
  const { userinfo, asked, answer } = slowProvider()
  const all = Promise.all(Array.from({ length: 100 }, () => userinfo.claimsFor('one')))
  await settled()
  answer()
  expect(new Set((await all).map((claims) => claims?.['sub']))).toEqual(new Set(['ada']))
  expect(asked).toEqual(['Bearer one'])
})

test('made-up tokens do not become as many calls: beyond a number nobody knows for now what they are', async () => {
  const { userinfo, asked, answer } = slowProvider()
  const outcomes = Promise.allSettled(Array.from({ length: 200 }, (_, at) => userinfo.claimsFor(`made-up-${at}`)))
  await settled()
  expect(asked).toHaveLength(32)
  answer()
  const refused = (await outcomes).filter(({ status }) => status === 'rejected')
  expect(refused).toHaveLength(168)
  expect(refused[0]).toMatchObject({ reason: { code: 'provider_unavailable' } })
  const later = userinfo.claimsFor('made-up-199')
  await settled()
  answer()
  expect(await later).toEqual({ sub: 'ada' })
})
