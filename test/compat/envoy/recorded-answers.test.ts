/** What a real Envoy answered (`test/interop/envoy.test.ts` records it), replayed against our gateway without Envoy. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Answer, answerOf } from '../../corpus/answer.ts'
import { type Apps, openApps } from '../../corpus/apps.ts'
import { openLiveGateway, outcomeOf, sendRow } from '../../corpus/live-gateway.ts'
import { malformedRequests } from '../../corpus/malformed.ts'
import type { RandomRequest, RandomWorld } from '../../corpus/random-worlds.ts'
import { exchangeRaw } from '../../corpus/raw-exchange.ts'
import { corpusForEnvoy, mintTokens, rowTitle } from '../../corpus/read-corpus.ts'
import { withoutKnownDifferences } from '../../corpus/recordings.ts'

interface RandomRecording {
  readonly worlds: readonly (Omit<RandomWorld, 'requests'> & {
    readonly exchanges: readonly { readonly request: RandomRequest; readonly answer: Answer }[]
  })[]
}

const corpus: { readonly envoy: string; readonly answers: Readonly<Record<string, Answer>> } = read('corpus')
const random: RandomRecording = read('random')
const malformed: { readonly answers: Readonly<Record<string, { readonly status: number; readonly target?: string }>> } =
  read('malformed')

let tokens: ReadonlyMap<string, string>
let apps: Apps
beforeAll(async () => {
  tokens = await mintTokens()
  apps = await openApps()
})
afterAll(() => apps.close())

describe(`as Envoy ${corpus.envoy} answered`, () => {
  test.each(corpusForEnvoy().map((group) => [`${group.topic}: ${group.name}`, group] as const))('%s', async (name, group) => {
    const live = await openLiveGateway(group, apps)
    for (const row of group.rows) {
      const recorded = corpus.answers[`${name}: ${rowTitle(row)}`]
      if (!recorded) throw new Error(`${rowTitle(row)} is not recorded: run GATEHOUSE_RECORD=1 npm run test:interop`)
      const ours = answerOf(await sendRow(row, { port: live.port, tokens }), tokens)
      expect(withoutKnownDifferences(ours), rowTitle(row)).toEqual(withoutKnownDifferences(recorded))
    }
    await live.close()
  })

  test.each(random.worlds.map((world, index) => [index, world] as const))('random world %i', async (_, world) => {
    const live = await openLiveGateway(world, apps)
    for (const { request, answer } of world.exchanges) {
      const ours = answerOf(await sendRow({ ...request, token: request.token }, { port: live.port, tokens }), tokens)
      expect(withoutKnownDifferences(ours), JSON.stringify(request)).toEqual(withoutKnownDifferences(answer))
    }
    await live.close()
  })

  test('malformed requests, but for the differences that are told with their reasons', async () => {
    const live = await openLiveGateway({ mesh: {}, resources: [] }, apps)
    const ours: Record<string, unknown> = {}
    const wanted: Record<string, unknown> = {}
    for (const { name, bytes, ours: different } of malformedRequests) {
      const outcome = outcomeOf(await exchangeRaw(bytes, { port: live.port }))
      const target = outcome.received && !different ? { target: outcome.received.target } : {}
      ours[name] = { status: outcome.status, ...target }
      wanted[name] = different ? { status: different.status } : malformed.answers[name]
      expect(different?.status, `${name} is no difference`).not.toBe(malformed.answers[name]?.status)
    }
    await live.close()
    expect(ours).toEqual(wanted)
  })
})

function read<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`${name}.json`, import.meta.url), 'utf8')) as T // written by the recording run
}
